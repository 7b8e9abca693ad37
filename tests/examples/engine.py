"""Prefect's engine for one run of a deployment, `python -m examples.engine`; figures are dots."""

import runpy

from examples.real_runs import draw_dots

if __name__ == "__main__":
    draw_dots()
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
