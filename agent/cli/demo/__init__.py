"""The demo: what it asks about (`scenarios`) and how it runs. Nothing of the assistant itself needs it."""
