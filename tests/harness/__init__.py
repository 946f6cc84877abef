"""What tests of all rings share: real databases, queues, jobs and fleets."""
