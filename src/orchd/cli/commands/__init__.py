"""The commands, in the order of what a person is doing. Each imports `orchd.app` only when it runs."""
