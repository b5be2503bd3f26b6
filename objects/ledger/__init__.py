"""The ledger: what each hop did with the items of each source, and which hop lost some."""
