"""The commands and their options. Owns their help; each command imports what does the work when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.exit_codes import ExitCode
from agent.cli.llama_stack.distributions import DistributionName

_ABOUT = "Explains why an Argo CD Application or a Kubernetes resource is broken, on what evidence, and what to do."
_EXIT_CODES = """\
Exit codes: 0 answered; 1 not answered (the model failed, or none is there for a general question); 2 wrong option, file
or setting, or a session that cannot be continued; 3 answered from the findings alone, because the model could not be
reached; 4 nothing could be read about the target, so that no answer can be about it; 130 interrupted.
"""
_FROM = """\
Answers a question about what the files show, or about what Argo CD (ARGOCD_SERVER, ARGOCD_AUTH_TOKEN) or the cluster
(kubeconfig) know about --app and --resource. The answer goes to standard output, all else to standard error.
"""

_VERDICTS = """\
Exit codes: 0 no finding is an error; 1 one is; 2 a file cannot be read (the message names it, and the line);
130 interrupted.
"""
_TRIAGED = """\
Exit codes: 0 no finding is an error; 1 one is; 2 wrong option or setting, or Argo CD cannot be asked; 130 interrupted.
"""
_FINDINGS = """\
Prints what is wrong with the manifests of files, by the built-in analyzers: no network, no model. A file is YAML, JSON
(an object, a list, a List), or JSON lines with the object by itself or under `manifest`. The manifests of a YAML or
JSON file are judged together (a Deployment with its Pods and events), each of JSON lines by itself.
"""
_EVALUATE = """\
Asks scenarios with a known cause and scores the answers: is the cause named first, is the evidence cited, is nothing
forbidden concluded, is nothing found on what is healthy. Traces and the run go to MLflow (MLFLOW_TRACKING_URI).
"""
_SCORES = "Exit codes: 0 asked and stored; 1 less is right than --require; 2 wrong option, folder, setting or store."

_LLAMA_STACK = """\
Starts the server that holds the sessions, in front of an OpenAI-compatible inference server (Ollama, vLLM, OpenAI,
llama.cpp), whose key is read from BACKEND_API_KEY. It is installed once, into an environment of its own.
"""
_STARTED = """\
Exit codes: 0 started (--detach) or written (--write-only); 1 it cannot be installed or started, or it ended; 2 wrong
option, or no inference server, model or free port; 130 interrupted.
"""

_TRIAGE = """\
Lists all Applications that Argo CD (ARGOCD_SERVER, ARGOCD_AUTH_TOKEN) lets be read, looks at those that are not well,
and reports what is wrong, grouped by cause.
"""

app = typer.Typer(
    name="argocd-assistant",
    help=_ABOUT,
    no_args_is_help=True,
    add_completion=True,
    # Its tracebacks would show local variables, and with them secrets.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        version()
        raise typer.Exit


@app.callback()
def every_command(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The options before a command."""


@app.command(help=_FROM, epilog=_EXIT_CODES)
def ask(
    question: Annotated[
        str, typer.Argument(help="What to ask, in quotation marks; with -i the first of several.", show_default=False)
    ] = "",
    application: Annotated[
        str | None, typer.Option("--app", metavar="[NAMESPACE/]NAME", help="The Argo CD Application.")
    ] = None,
    resource: Annotated[
        str | None,
        typer.Option(metavar="KIND[.GROUP]/NAME", help="The resource, like Deployment/web or Rollout.argoproj.io/web."),
    ] = None,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="The namespace of the resource.")] = "",
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="Manifests as YAML or JSON, - for standard input: the first is the resource, the others (its Pods) "
            "are looked at with it; an Application and events are recognized. May be repeated.",
        ),
    ] = None,
    events: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Events as YAML or JSON: `kubectl get events -o yaml`. May be repeated."),
    ] = None,
    logs: Annotated[
        list[str] | None,
        typer.Option(metavar="[CONTAINER=]FILE", help="The log of a container. May be repeated."),
    ] = None,
    container: Annotated[str | None, typer.Option(help="The container whose log to read.")] = None,
    tail: Annotated[int | None, typer.Option(help="The number of log lines to read.")] = None,
    previous: Annotated[bool, typer.Option("--previous", help="Read the log of the container's previous run.")] = False,
    since: Annotated[int | None, typer.Option(metavar="SECONDS", help="Read no older log lines.")] = None,
    session: Annotated[str | None, typer.Option(metavar="ID", help="Continue this session.")] = None,
    interactive: Annotated[
        bool,
        typer.Option("--interactive", "-i", help="Ask on: a line is a question; `exit` or Ctrl-D ends, Ctrl-C stops."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: answer, custom_outputs, error.")
    ] = False,
) -> None:
    """Answer one question."""
    from agent.cli.ask import AskOptions, ask, ask_on

    if not question and not interactive:
        raise typer.BadParameter("what to ask is missing; -i asks for it", param_hint="QUESTION")
    if interactive and as_json:
        raise typer.BadParameter("does not go with --json", param_hint="--interactive")

    options = AskOptions(
        question=question,
        application=application,
        resource=resource,
        namespace=namespace,
        files=tuple(files or ()),
        events=tuple(events or ()),
        logs=tuple(logs or ()),
        container=container,
        tail=tail,
        previous=previous,
        since=since,
        session=session,
    )
    raise typer.Exit(ask_on(options) if interactive else ask(options, as_json=as_json))


@app.command(help=_FINDINGS, epilog=_VERDICTS)
def findings(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, - for standard input.", show_default=False)
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a manifest, in order: id, findings.")
    ] = False,
) -> None:
    """Print the findings of manifests in files."""
    from agent.cli.findings import findings as print_findings

    raise typer.Exit(print_findings(files, as_json=as_json))


@app.command(help=_TRIAGE, epilog=_TRIAGED)
def triage(
    projects: Annotated[
        list[str] | None, typer.Option("--project", metavar="NAME", help="Only this project. May be repeated.")
    ] = None,
    selector: Annotated[
        str, typer.Option("--selector", "-l", metavar="LABELS", help="Only Applications with these labels.")
    ] = "",
    limit: Annotated[
        int, typer.Option(min=0, help="Look closely at so many, the worst first; the rest is judged by the list alone.")
    ] = 1_000,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Note each result here, and go on from what is noted.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print what is wrong with all Applications, grouped by cause."""
    from agent.cli.triage import TriageOptions
    from agent.cli.triage import triage as run_triage

    options = TriageOptions(projects=tuple(projects or ()), selector=selector, limit=limit, resume=resume)
    raise typer.Exit(run_triage(options, as_json=as_json))


@app.command(help=_EVALUATE, epilog=_SCORES)
def evaluate(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]",
            help="The folder with a folder for each scenario. Unset: the sets that come with the project.",
        ),
    ] = None,
    set_name: Annotated[
        str | None,
        typer.Option("--set", metavar="NAME", help="The set that comes with the project: own, reports, untouched."),
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="Who answers, in place of ASSISTANT_PROVIDER: offline, llama-stack, lightspeed.")
    ] = None,
    repetitions: Annotated[int, typer.Option(min=1, max=1000, help="Ask each scenario this often.")] = 1,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Ask this many at once; it blurs the seconds.")] = 1,
    only: Annotated[str, typer.Option(metavar="PATTERN", help="Scenarios whose name holds or matches this.")] = "*",
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table here, too.")] = None,
    experiment: Annotated[
        str | None, typer.Option(metavar="NAME", help="MLflow's experiment. Unset: argocd-assistant-evaluation.")
    ] = None,
    judge: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Have MLflow's judges score as well, by openai:/gpt-5 or such.")
    ] = None,
    compare: Annotated[
        str | None, typer.Option(metavar="RUN_ID", help="Show what became better or worse since this run.")
    ] = None,
    require: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit with 1 when a smaller share is right.")
    ] = None,
) -> None:
    """Ask sets of scenarios and score the answers of each."""
    from agent.cli.evaluate import EvaluateOptions
    from agent.cli.evaluate import evaluate as run_evaluation

    options = EvaluateOptions(
        folder=folder,
        set_name=set_name,
        provider=provider,
        repetitions=repetitions,
        parallel=parallel,
        only=only,
        output=output,
        experiment=experiment,
        judge=judge,
        compare=compare,
        require=require,
    )
    raise typer.Exit(run_evaluation(options))


@app.command(help="Serves the assistant over HTTP until SIGTERM or Ctrl-C.")
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")] = 8080,
    model: Annotated[
        str | None,
        typer.Option(metavar="URI", help="A logged model, like models:/argocd-assistant@champion. Unset: this code."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that share the port; each takes some 300 MB.")
    ] = 1,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log every request, those of probes too.")] = False,
) -> None:
    """Serve the assistant over HTTP."""
    from agent.errors import AssistantError
    from serve.run import run_server

    try:
        run_server(host=host, port=port, model=model, workers=workers, access_log=access_log)
    except AssistantError as error:
        typer.echo(f"error: {error.public_message}", err=True)
        raise typer.Exit(ExitCode.WRONG_INPUT) from None


@app.command("llama-stack", help=_LLAMA_STACK, epilog=_STARTED)
def llama_stack(
    backend_url: Annotated[
        str,
        typer.Option(metavar="URL", envvar="BACKEND_URL", help="The base URL of the inference server, ending in /v1."),
    ] = "http://localhost:11434/v1",
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Start only if it has this model.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port to listen on.")] = 8321,
    distribution: Annotated[
        DistributionName,
        typer.Option(envvar="LLAMA_STACK_DISTRIBUTION", help="llama-stack 0.7, or OGX 1.5, as it is called since."),
    ] = DistributionName.LLAMA_STACK,
    folder: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where configuration, conversations and log are written.")
    ] = Path(".llama-stack"),
    detach: Annotated[
        bool,
        typer.Option("--detach", "-d", help="Return when it answers; it runs on, its process id is in server.pid."),
    ] = False,
    write_only: Annotated[
        bool, typer.Option("--write-only", help="Write the files, and print the commands that install and start it.")
    ] = False,
) -> None:
    """Start a llama-stack or OGX server."""
    from agent.cli.llama_stack.run import LlamaStackOptions, run_llama_stack

    options = LlamaStackOptions(
        distribution=distribution,
        backend_url=backend_url,
        model=model,
        port=port,
        folder=folder,
        detach=detach,
        write_only=write_only,
    )
    raise typer.Exit(run_llama_stack(options))


@app.command(help="Logs, serves and asks the assistant about two broken targets, on this machine alone.")
def demo() -> None:
    """Run the demo."""
    from agent.cli.demo.run import run_demo

    raise typer.Exit(run_demo())


@app.command(help="Prints the version.")
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("argocd-assistant"))
