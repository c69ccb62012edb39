"""The HTTP server of the assistant. `serve.app.create_app` makes the app, `serve.run.run_server` runs it."""
