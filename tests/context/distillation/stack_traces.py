"""Stack traces as runtimes print them, and what Go prints of the goroutines that did not panic."""

JAVA = """\
2026-11-28 07:14:02.123 ERROR 1 --- [main] o.s.boot.SpringApplication : Application run failed
org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'dataSource'
\tat org.springframework.beans.factory.support.ConstructorResolver.instantiate(ConstructorResolver.java:657)
\tat org.springframework.boot.SpringApplication.run(SpringApplication.java:1343)
\tSuppressed: java.io.IOException: stream closed
\t\tat com.shop.Closer.close(Closer.java:12)
\t... 23 common frames omitted
Caused by: java.net.UnknownHostException: orders-db.shop.svc
\tat java.base/java.net.InetAddress.getAllByName(InetAddress.java:1573)
\tat com.shop.orders.Pool.connect(Pool.java:88)
\t... 24 more"""

PYTHON = """\
Traceback (most recent call last):
  File "/app/orders/db.py", line 31, in connect
    return driver.connect(url)
           ^^^^^^^^^^^^^^^^^^^
ConnectionRefusedError: [Errno 111] Connection refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/main.py", line 12, in <module>
    main()
  File "/app/main.py", line 8, in main
    orders.db.connect()
orders.errors.StartupError: the order store is away"""

GO = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x6f1c3a]

goroutine 1 [running]:
main.(*Server).load(0xc0000b6000)
\t/src/server.go:42 +0x1a
main.main()
\t/src/main.go:17 +0x85"""

NODE = """\
/app/server.js:21
    throw new Error(`cannot read ${path}`);
    ^

Error: cannot read /etc/orders/rules.json
    at load (/app/server.js:21:11)
    at Object.<anonymous> (/app/server.js:30:1)
    at Module._compile (node:internal/modules/cjs/loader:1554:14) {
  code: 'ENOENT'
}"""

DOTNET = """\
Unhandled exception. System.InvalidOperationException: The queue is gone.
 ---> RabbitMQ.Client.Exceptions.BrokerUnreachableException: None of the specified endpoints were reachable
   at RabbitMQ.Client.ConnectionFactory.CreateConnection()
   --- End of inner exception stack trace ---
   at Orders.Program.Main(String[] args) in /src/Program.cs:line 19"""

RUBY = """\
/app/lib/orders.rb:14:in `fetch': key not found: "ORDERS_URL" (KeyError)
\tfrom /app/lib/orders.rb:14:in `initialize'
\tfrom /app/main.rb:3:in `<main>'"""

RUST = """\
thread 'main' panicked at src/main.rs:27:10:
called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, message: "No such file or directory" }
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9fc6b431/library/std/src/panicking.rs:665:5
   1: core::panicking::panic_fmt
             at /rustc/9fc6b431/library/core/src/panicking.rs:76:14
   2: orders::main
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace."""

TRACES = {
    "java": JAVA,
    "python": PYTHON,
    "go": GO,
    "node": NODE,
    "dotnet": DOTNET,
    "ruby": RUBY,
    "rust": RUST,
}


def other_goroutines(count: int) -> str:
    """What follows GO where more goroutines are alive, its first line blank."""
    return "".join(
        f"\n\ngoroutine {number} [chan receive, {number} minutes]:\n"
        f"main.worker(0xc00001{number:04x})\n\t/src/worker.go:9 +0x3c\ncreated by main.main in goroutine 1\n"
        "\t/src/main.go:12 +0x5f"
        for number in range(18, 18 + count)
    )
