"""The steps of the pipeline, and what they share: store, stage keys, records, run folders."""

import logging

# How a training goes belongs in its run's log; Prefect passes on other loggers' warnings only.
logging.getLogger(__name__).setLevel(logging.INFO)
