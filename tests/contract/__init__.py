"""Suites that every cloud, rule and release passes alike."""
