"""Readiness and time become calls. Knows file descriptors and time; knows neither Twisted nor asyncio."""
