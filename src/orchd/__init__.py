"""orchd: a git-native daemon that runs coding agents on a repository and lands only what was proven."""

__version__ = "0.1.0"
