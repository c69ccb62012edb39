"""How good the assistant is: scenarios with a known cause, asked of any provider, scored by rules, kept as MLflow runs.

`scenarios` reads the folders, `expectation` has what a right answer says, `sets` are those that come with the project.
`answering` runs the turn of one, `verdicts` judges it, `scorers` and `run` do so through `mlflow.genai.evaluate`,
`results` and `table` present the outcome.
"""
