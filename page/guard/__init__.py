"""Guard: what stands between strangers and gradio."""
