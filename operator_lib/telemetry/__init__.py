"""What is told to a collector of traces, as plain data: who is traced, and what a span holds. No SDK is loaded here."""
