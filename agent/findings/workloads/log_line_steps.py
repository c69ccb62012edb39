"""What to do about a line of a log, by the thing that it names: a file, a module, an address, a setting and its value.

Each form is one that runtimes, kernels and servers share, not one program's; the sources are at the forms. The general
meanings of lines, which name nothing, are in `engine.logs` and `crash_reasons`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent.findings.engine.evidence import one_line
from agent.findings.workloads.file_places import RunningContainer, grant_step, place_of

_READ_LIMIT = 2_000
_SHOWN = 120

type _Step = Callable[[RunningContainer | None, dict[str, str]], str]


@dataclass(frozen=True, slots=True)
class _Form:
    """A form of a line. `words` (lower case) are a fast filter; the pattern's named groups are what the line names."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    step: _Step


def step_of(line: str, container: RunningContainer | None = None) -> str:
    """The step that follows from what the line names, "" where it names nothing known. `container` wrote the line."""
    text = line[:_READ_LIMIT]
    lowered = text.lower()
    for form in _FORMS:
        if any(word in lowered for word in form.words) and (match := form.pattern.search(text)):
            named = {name: one_line(value, _SHOWN) for name, value in match.groupdict().items() if value}
            if step := form.step(container, named):
                return step
    return ""


def _bound(_: RunningContainer | None, named: dict[str, str]) -> str:
    name, wanted = named["name"].strip("'\"`"), named["wanted"]
    if name.split(".")[0] in _SYSCTL_TREES and "." in name:
        # Only sysctls with a namespace of their own can be set in a Pod's spec:
        # https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
        return (
            f"Set {name} to {wanted} on the nodes (`sysctl -w {name}={wanted}`, kept in /etc/sysctl.d), or in a "
            "privileged init container of the pod template: it belongs to the node's kernel."
        )
    return f"Set {name} to {wanted} or more, as the log asks."


# The trees below /proc/sys: https://www.kernel.org/doc/html/latest/admin-guide/sysctl/
_SYSCTL_TREES = ("vm", "kernel", "fs", "net", "user")


def _kind(_: RunningContainer | None, named: dict[str, str]) -> str:
    group, slash, _version = named.get("version", "").rpartition("/")
    of = f" ({named['version']})" if named.get("version") else ""
    crd = f"; see `kubectl get crds | grep {group}`" if slash and re.fullmatch(r"[\w.-]+", group) else ""
    return (
        f"Install the CustomResourceDefinition of kind {named['kind']}{of} before this container starts (its chart or "
        f"operator brings it, in an earlier sync wave), or correct the version that it asks for{crd}."
    )


def _architecture(container: RunningContainer | None, named: dict[str, str]) -> str:
    image = one_line(container.spec_text("image"), 100) if container else ""
    return (
        "Use an image for the architecture of the node (`kubectl get nodes -L kubernetes.io/arch`), or build "
        f"{image or 'it'} for that platform too: the kernel cannot run {named['program']}. A script needs an "
        "interpreter line (`#!`)."
    )


def _module(container: RunningContainer | None, named: dict[str, str]) -> str:
    image = one_line(container.spec_text("image"), 100) if container else ""
    of = f" image {image}" if image else " the image"
    return (
        f"Build an image that has {named['module']}: it is not in{of}. Add it to the dependencies, or correct the "
        "setting or command that asks for it."
    )


def _runtime(container: RunningContainer | None, named: dict[str, str]) -> str:
    image = one_line(container.spec_text("image"), 100) if container else ""
    return (
        f"Use an image with the version of the runtime (Java, Node.js, Python, libc ...) that the program was built "
        f"for{f' instead of {image}' if image else ''}, or build the program for the version in the image."
    )


def _environment(container: RunningContainer | None, named: dict[str, str]) -> str:
    name = named["variable"]
    where = f" of container {container.name}" if container else ""
    return f"Set the environment variable {name}{where} in the pod template, in Git, to a valid value."


def _absent_file(container: RunningContainer | None, named: dict[str, str]) -> str:
    path = named["path"]
    place = place_of(container, path) if container else None
    if place and place.source:
        return (
            f"Add {path} to {place.source}, which volume {place.volume} mounts at {place.mounted}, or correct the path "
            "in command, args or configuration."
        )
    return (
        f"Provide {path}: mount it from a ConfigMap or Secret or build it into the image; or correct the path in "
        "command, args or configuration."
    )


def _denied_file(container: RunningContainer | None, named: dict[str, str]) -> str:
    return grant_step(container, named["path"])


def _denied_port(container: RunningContainer | None, named: dict[str, str]) -> str:
    port = named["port"]
    if int(port) >= _FIRST_FREE_PORT:
        return ""
    change = container.change("securityContext.capabilities.add", "[NET_BIND_SERVICE]") if container else ""
    return (
        f"Let it listen on a port from 1024 on instead of {port} (and correct containerPort and the Service's "
        f"targetPort): a process that is not root may not bind lower ones. {change}".rstrip()
    )


# https://man7.org/linux/man-pages/man7/ip.7.html: ip_unprivileged_port_start
_FIRST_FREE_PORT = 1024


def _port_in_use(_: RunningContainer | None, named: dict[str, str]) -> str:
    return (
        f"Two processes listen on port {named['port']} of this pod (or, with hostNetwork, of the node): change the "
        "port of one of them in the pod template."
    )


def _resolver(_: RunningContainer | None, named: dict[str, str]) -> str:
    return (
        f"Set the resolver to the DNS Service of this cluster, {named['host']} does not exist: find its name with "
        "`kubectl -n kube-system get services`, and correct it in the configuration, in Git."
    )


def _option(container: RunningContainer | None, named: dict[str, str]) -> str:
    where = "in args or command of the pod template" if container else "in its arguments"
    return (
        f"Remove or correct {named['option']} {where}: this version of the program does not know it (compare the image "
        "tag with its documentation)."
    )


def _place_in_file(container: RunningContainer | None, named: dict[str, str]) -> str:
    path = named["path"]
    place = place_of(container, path) if container else None
    of = f" ({place.source}, mounted at {place.mounted})" if place and place.source else ""
    return f"Correct line {named['line']} of {path}{of}, in Git."


def _right(_: RunningContainer | None, named: dict[str, str]) -> str:
    group = f" of API group {named['group']}" if named.get("group") else ""
    where = f" in namespace {named['namespace']}" if named.get("namespace") else " in the whole cluster"
    binding = "a Role and a RoleBinding" if named.get("namespace") else "a ClusterRole and a ClusterRoleBinding"
    return f"Grant {named['user']} the verb {named['verb']} on {named['resource']}{group}{where}, by {binding} in Git."


def _database_object(_: RunningContainer | None, named: dict[str, str]) -> str:
    return (
        f"Create the {named['what'].lower()} {named['name']} in the database (by its migration or setup Job), or "
        "correct the name in the configuration."
    )


def _other_data(_: RunningContainer | None, named: dict[str, str]) -> str:
    return (
        "Run the image of the version that wrote the data directory, and migrate the data with the program's own "
        "upgrade (or restore a dump into an empty volume); until then the volume has the only copy of the data."
    )


def _member(_: RunningContainer | None, named: dict[str, str]) -> str:
    return (
        "The data of this member and the cluster's list of members do not agree: on a member that works remove this "
        "one from the cluster (for RabbitMQ `rabbitmqctl forget_cluster_node`, for etcd `etcdctl member remove`), then "
        "let it rejoin with an empty volume; keep the volume that has the data."
    )


def _root(container: RunningContainer | None, named: dict[str, str]) -> str:
    what = container.change("securityContext.runAsUser", "the id of an account without privileges") if container else ""
    return what or "Set securityContext.runAsUser to the id of an account without privileges."


def _certificate_authority(_: RunningContainer | None, named: dict[str, str]) -> str:
    return (
        "Mount the CA that signed the peer's certificate and configure the program to trust it (a ConfigMap or Secret "
        "with the CA bundle)."
    )


def _certificate_names(_: RunningContainer | None, named: dict[str, str]) -> str:
    return (
        f"Connect by a name that the certificate has ({named['names']}), or renew the certificate with "
        f"{named['host']} in its names."
    )


def _expired(_: RunningContainer | None, named: dict[str, str]) -> str:
    return "Renew the certificate that is expired or not yet valid (see its Certificate or Secret), then restart both."


def _table_is_locked(_: RunningContainer | None, named: dict[str, str]) -> str:
    return (
        f"Find the process that holds the lock {named['path']} (another pod on the same volume?), stop it, and only "
        "then delete a lock that was left behind."
    )


def _required(container: RunningContainer | None, named: dict[str, str]) -> str:
    where = "in args, env or configuration of the pod template" if container else "in its configuration"
    return f"Set {named['name']} {where}, in Git: it is required."


def _syntax(_: RunningContainer | None, named: dict[str, str]) -> str:
    return "Correct the script in command or args (or in the mounted ConfigMap) at the place that the shell names."


_QUOTE = "['\"`\u2018\u2019\u201c\u201d]"
_PATH = r"[^\s'\"`:,\u2018\u2019\u201c\u201d()]{1,300}"


def _form(words: str, pattern: str, step: _Step) -> _Form:
    return _Form(tuple(words.split("|")), re.compile(pattern, re.IGNORECASE), step)


# The most specific first.
_FORMS: tuple[_Form, ...] = (
    # PostgreSQL src/backend/utils/init/postinit.c, MySQL ER_CON_COUNT_ERROR
    _form(
        "connection slots|too many clients|too many connections",
        r"(?P<what>remaining connection slots are reserved|sorry, too many clients already|Too many connections)",
        lambda _, __: (
            "All connections that the database allows are in use: lower the connection pool of each replica or the "
            "number "
            "of replicas, put a pooler such as PgBouncer between, or raise max_connections."
        ),
    ),
    # nginx, src/http/ngx_http_upstream.c
    _form(
        "too big header",
        r"upstream sent (?P<what>too big header)",
        lambda _, __: (
            "Raise proxy_buffer_size (of ingress-nginx the annotation "
            "nginx.ingress.kubernetes.io/proxy-buffer-size), or "
            "let the program send smaller headers and cookies."
        ),
    ),
    # ENOEXEC of execve(2), as shells, runc and tini print it
    _form(
        "exec format error",
        r"(?:exec:? )?(?P<program>[\w./-]{1,200}): (?:cannot execute: )?exec format error",
        _architecture,
    ),
    # k8s.io/apimachinery/pkg/api/meta/errors.go: NoKindMatchError; client-go's discovery
    _form(
        "no matches for kind|no kind is registered",
        r"no (?:matches for|kind is registered for the type) kind \\?\"(?P<kind>[\w.-]{1,120})\\?\""
        r"(?: in (?:version|group) \\?\"(?P<version>[\w./-]{1,200})\\?\")?",
        _kind,
    ),
    # k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go: ForbiddenMessage
    _form(
        "cannot ",
        r"User \\?\"(?P<user>[^\"\\]{1,200})\\?\" cannot (?P<verb>\w{1,20}) resource \\?\"(?P<resource>[\w./-]{1,120})"
        r"\\?\"(?: in API group \\?\"(?P<group>[\w.-]{0,120})\\?\")?"
        r"(?: in the namespace \\?\"(?P<namespace>[\w.-]{1,80})\\?\")?",
        _right,
    ),
    # Python, Node.js, Java, Ruby, Perl, PHP, and the dynamic loader (ld.so)
    _form(
        "module named|cannot find module|cannot find package|classnotfound|noclassdef|cannot load such file|"
        "can't locate|shared librar|main class|shared object file|assembly|class \"|class '",
        rf"(?:No module named|Cannot find (?:module|package)|cannot load such file --|Can't locate|"
        rf"(?:ClassNotFoundException|NoClassDefFoundError):|could not find or load main class|"
        rf"Could not load file or assembly|error while loading shared libraries:|error loading shared library:?) ?"
        rf"{_QUOTE}?(?P<module>[^\s'\"`:,]{{1,200}})|"
        rf"\bClass {_QUOTE}(?P<module2>[\w\\]{{2,200}}){_QUOTE} not found",
        lambda container, named: _module(container, {"module": named.get("module") or named["module2"]}),
    ),
    # https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html (class file versions), npm's engines, ld.so
    _form(
        "class file version|unsupported java|more recent version|glibc|requires node|requires python|requires java|"
        "unsupported engine|major.minor",
        r"class file versions? |Unsupported (?:Java|major\.minor|engine)|more recent version of the Java|"
        r"GLIBC\w{0,4}_[\d.]+.{0,5} not found|requires (?:Node|Python|Java|PHP|Ruby)\b",
        _runtime,
    ),
    # A variable of the environment by its name in capitals
    _form(
        "environment variable|env var",
        r"\b(?P<variable>(?-i:[A-Z][A-Z0-9_]{2,60})) (?:environment|env) var|(?:environment|env) var\w*:? "
        r"[\"'`]?\$?(?P<variable2>(?-i:[A-Z][A-Z0-9_]{2,60}))\b",
        lambda container, named: _environment(container, {"variable": named.get("variable") or named["variable2"]}),
    ),
    # A kernel's or a server's limit that is below what it wants
    _form(
        "too low|too small|less than|below|at least",
        r"(?P<name>[\w.-]{3,80}|'[^']{1,80}'|`[^`]{1,80}`) (?:\[?\(?[\d.]+\w{0,3}\]?\)? )?"
        r"(?:is|was|are|=) (?:too (?:low|small)|\d+)[^.\n]{0,80}?"
        r"(?:at least|minimum(?: of| is)?|should be|must be)[^\d\n]{0,40}?\[?(?P<wanted>\d+\w{0,3})\]?",
        _bound,
    ),
    # A name server of its own, as proxies configure one (nginx, HAProxy, Envoy)
    _form("resolver", rf"host not found in resolver {_QUOTE}(?P<host>[\w.-]{{1,253}})", _resolver),
    # https://man7.org/linux/man-pages/man2/bind.2.html: EACCES, EADDRINUSE
    _form(
        "permission denied|eacces|not permitted",
        r"(?:bind|listen)\w*\b.{0,80}?(?::|port )(?P<port>\d{1,5})\b.{0,60}(?:permission denied|EACCES|not permitted)|"
        r"(?:EACCES|permission denied)\W.{0,80}\b(?:bind|listen)\w*\b.{0,80}?:(?P<port2>\d{1,5})\b|"
        r"\b(?:bind|listen)\w*\b.{0,60}(?:permission denied|EACCES).{0,40}?:(?P<port3>\d{1,5})\b",
        lambda container, named: _denied_port(
            container, {"port": named.get("port") or named.get("port2") or named["port3"]}
        ),
    ),
    _form(
        "in use|eaddrinuse",
        r"(?:in use|EADDRINUSE).{0,60}?:(?P<port>\d{2,5})\b|"
        r"(?::|port )(?P<port2>\d{2,5})\b.{0,80}?(?:in use|EADDRINUSE)",
        lambda container, named: _port_in_use(container, {"port": named.get("port") or named["port2"]}),
    ),
    # errno with a path: C (`mkdir() "P" failed (13: ...)`, `P: Permission denied`), Go, Node.js, Python, Java
    _form(
        "permission denied|eacces|not permitted|read-only|erofs|accessdenied",
        rf"(?:EACCES|EPERM|EROFS)[^'\n]{{0,80}}'[^']{{1,300}}' -> '(?P<path>[^']{{1,300}})'|"
        rf"(?:\[Errno (?:13|1|30)\]|EACCES|EPERM|EROFS)[^'\n]{{0,80}}'(?P<path2>[^']{{1,300}})'|"
        rf"\(\) {_QUOTE}(?P<path3>[^'\"]{{1,300}}){_QUOTE} failed|"
        rf"(?:open|mkdir|create|stat|access|chmod|chown|remove|rename|write|unlink|touch|mkfifo|ownership of|"
        rf"directory|file) {_QUOTE}?(?P<path4>/?{_PATH}){_QUOTE}?: (?:open|permission|operation|read-only)|"
        rf"(?:AccessDeniedException|FileNotFoundException): (?P<path5>/{_PATH})|"
        rf"{_QUOTE}?(?P<path6>/{_PATH}){_QUOTE}?(?:: | \()(?:permission denied|operation not permitted|read-only)",
        lambda container, named: _denied_file(container, {"path": _first(named)}),
    ),
    _form(
        "no such file|enoent|filenotfound|not found|does not exist|cannot find|no such directory|nosuchfile",
        rf"(?:ENOENT|\[Errno 2\])[^'\n]{{0,80}}'(?P<path>[^']{{1,300}})'|"
        rf"(?:open|stat|lstat|read|chdir|load|access|cat|directory|file) {_QUOTE}?(?P<path2>/{_PATH}){_QUOTE}?: "
        rf"(?:no such file|can't open|cannot open)|"
        rf"(?:FileNotFoundException|NoSuchFileException|FileNotFoundError): (?P<path3>(?=[^\s]{{0,300}}[/.]){_PATH})|"
        rf"{_QUOTE}?(?P<path4>/{_PATH}){_QUOTE}?(?:: | \(2: | )(?:no such file|not found|does not exist|cannot find)|"
        rf"(?:open|stat|access)\(\) {_QUOTE}(?P<path5>[^'\"]{{1,300}}){_QUOTE} failed \(2|"
        rf"(?:no such file or directory|cannot find the file|file not found|does not exist|can't open)"
        rf"(?: file)?:? {_QUOTE}?(?P<path6>/{_PATH})",
        lambda container, named: _absent_file(container, {"path": _first(named)}),
    ),
    # getopt, Go's flag, cobra, argparse, Java: an argument that the program does not know
    _form(
        "unknown|unrecognized|not defined|invalid option|unexpected argument|unsupported",
        rf"(?:unknown|unrecognized|unexpected|unsupported|invalid)(?: long| short| shorthand)? "
        rf"(?:flag|option|arguments?|directive|parameter|configuration (?:parameter|key)|command|VM option)s?:? ?"
        rf"{_QUOTE}?(?P<option>-{{0,2}}[\w.:=+-]{{1,120}})|"
        rf"flag provided but not defined: (?P<option2>-{{1,2}}[\w.-]{{1,120}})",
        lambda container, named: _option(container, {"option": named.get("option") or named["option2"]}),
    ),
    _form(
        "required|missing|must be set|not set",
        rf"(?:required|missing)(?: required)? (?:flags?|options?|arguments?|parameters?|settings?|property|properties|"
        rf"field|key)(?:\(s\))?:? {_QUOTE}?(?P<name>[\w.-]{{2,80}})(?![\w ]{{0,4}}(?:is|was|not))",
        _required,
    ),
    # A parser's place in a file
    _form(
        ":|line",
        rf"(?:in|at|file|parse|parsing|load|reading) {_QUOTE}?(?P<path>/[\w./-]{{2,200}}){_QUOTE}?"
        rf"(?::| on line |, line | line |: line |: yaml: line )(?P<line>\d{{1,6}})",
        _place_in_file,
    ),
    # SQL servers
    _form(
        "does not exist|doesn't exist|unknown database|no such table|undefined_table",
        rf"(?P<what>database|relation|table|role|schema|user|column|bucket|keyspace|topic|index|collection) {_QUOTE}"
        rf"(?P<name>[\w.$-]{{1,120}}){_QUOTE} (?:does not|doesn't) exist|unknown (?P<what2>database) "
        rf"{_QUOTE}(?P<name2>[\w.$-]{{1,120}})|no such (?P<what3>table): (?P<name3>[\w.$-]{{1,120}})",
        lambda container, named: _database_object(
            container,
            {
                "what": next(named[key] for key in ("what", "what2", "what3") if key in named),
                "name": next(named[key] for key in ("name", "name2", "name3") if key in named),
            },
        ),
    ),
    _form(
        "incompatible|not compatible|downgrade|newer version|unsupported version",
        r"(?:data ?(?:base)? ?(?:files?|director\w+|dir|format)|index|schema|store|database)\b.{0,200}"
        r"(?:incompatible|not compatible|newer version|unsupported version|downgrade)|"
        r"(?:incompatible|downgrade|newer version).{0,120}\b(?:data|index|database|schema|store)\b",
        _other_data,
    ),
    _form(
        "cluster|member",
        r"inconsistent_cluster|thinks it's clustered|cluster ?id\b.{0,60}(?:mismatch|doesn't match|does not match)|"
        r"inconsistent ?cluster ?id|member .{0,80}(?:already been bootstrapped|permanently removed)|"
        r"different cluster (?:uuid|id)",
        _member,
    ),
    _form(
        "root|superuser|privileges",
        r"(?:account|user|as|by) \W?(?:root|superuser)\W? .{0,60}"
        r"(?:refused|not (?:permitted|allowed|supported)|forbidden)|"
        r"(?:refus\w+|cannot|can't|must not|do not|don't|not (?:be )?(?:permitted|allowed)(?: to)?) "
        r"(?:to )?(?:be )?(?:run|start|execut)\w* .{0,40}as (?:the )?\W?(?:root|superuser)",
        _root,
    ),
    # Go crypto/x509, OpenSSL, Java
    _form(
        "certificate",
        r"certificate is (?:valid for|not valid for) (?P<names>[^,\n]{1,200}(?:, [^,\n]{1,80}){0,4}), not "
        r"(?P<host>[\w.*-]{1,253})",
        _certificate_names,
    ),
    _form(
        "certificate|x509|pkix",
        r"unknown authority|self[- ]signed certificate|unable to (?:find valid|get local issuer)|PKIX path building",
        _certificate_authority,
    ),
    _form("certificate", r"certificate (?:has expired|is not yet valid|expired)|has expired or is not yet", _expired),
    _form(
        "lock",
        rf"lock(?: ?file)? {_QUOTE}?(?P<path>/?{_PATH}){_QUOTE}? (?:already exists|is held|is already)|"
        rf"{_QUOTE}?(?P<path2>/{_PATH}\.lock|/{_PATH}/LOCK){_QUOTE}?",
        lambda container, named: _table_is_locked(container, {"path": _first(named)}),
    ),
    # https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
    _form("syntax error", r"\b(?:ba|da|a|k|z)?sh\b.{0,40}: (?:\d+: )?(?:line \d+: )?syntax error", _syntax),
)


def _first(named: dict[str, str]) -> str:
    return next(value for name, value in named.items() if name.startswith("path"))
