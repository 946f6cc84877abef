"""Commands that have job types act on jobs, whether the fleet runs or not."""
