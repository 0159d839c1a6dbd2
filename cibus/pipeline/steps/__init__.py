"""The steps, a module per family; a step is a function with :func:`cibus.pipeline.steps.registry.step`."""
