"""Monitoring: probes of services beside Jenkins, a short history, notifications."""
