"""Workers: processes that read what strangers send, with limits of time and memory."""
