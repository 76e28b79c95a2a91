"""What the workflow's steps share: paths, logs, configuration, provenance."""
