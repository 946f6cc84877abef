"""What attackers do, for tests to defend against."""
