"""The data product maker (DPM): queues, collects, merges and releases acquisitions."""
