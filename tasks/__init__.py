"""The steps of the pipeline, and what they share: store, stage keys, records, run folders."""
