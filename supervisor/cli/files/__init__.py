"""Commands that look at the files of a fleet, whether it runs or not."""
