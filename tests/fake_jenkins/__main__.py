"""`python -m tests.fake_jenkins`: the fake alone."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
from collections.abc import Sequence
from pathlib import Path

from .faults import KINDS, parse_fault
from .generate import add_agents, add_jobs, add_queue
from .seed import empty_state, recorded_state
from .server import FakeJenkins


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fake_jenkins", description="A fake Jenkins on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 (the default): any free one")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="so many generated jobs, in folders of 25")
    parser.add_argument("--agents", type=int, default=0, metavar="N", help="so many generated agents")
    parser.add_argument("--queue", type=int, default=0, metavar="N", help="so many waiting builds")
    parser.add_argument("--latency", type=float, default=0, metavar="MS", help="delay of each answer")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND:PERCENT", help=f"kinds: {', '.join(KINDS)}"
    )
    parser.add_argument("--seed", type=int, default=0, help="of what is generated and of the faults")
    parser.add_argument(
        "--recorded", action="store_true", help="begin with the recorded jobs, folders, views and nodes"
    )
    parser.add_argument("--job-config-history", action="store_true", help="as if that plugin were installed")
    parser.add_argument("--log", type=Path, metavar="FILE", help="a line for each request")
    options = parser.parse_args(arguments)
    state = recorded_state() if options.recorded else empty_state()
    state.job_config_history = options.job_config_history
    add_jobs(state, options.jobs, options.seed)
    for item in state.root.walk():
        _ = item.config  # written now, so that no measurement pays for it
    add_agents(state, options.agents)
    add_queue(state, options.queue)
    faults = [parse_fault(text) for text in options.fault]
    fake = FakeJenkins(
        state,
        port=options.port,
        latency=options.latency / 1000,
        faults=faults,
        seed=options.seed,
        log=options.log,
        record=False,
    )
    gc.freeze()  # thousands of items that live as long as the process: nothing for the collector to look at

    async def serve() -> None:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            await fake.serve_forever()
        except asyncio.CancelledError:
            pass

    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())


if __name__ == "__main__":
    main()
