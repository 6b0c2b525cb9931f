"""The dashboard: one page, its modules and styles. They hold no data; what they show the browser asks the API for."""
