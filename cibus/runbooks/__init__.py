"""The pages that say what to do."""
