"""Passwords as people, programs and Kubernetes objects write them."""

from tests.redaction.corpus.making import (
    ALNUM,
    Kind,
    annotation,
    applied_secret,
    args,
    b64,
    command,
    config_map,
    custom,
    env,
    helm,
    helm_values,
    of,
    password,
    secret,
)

PASSWORDS: tuple[Kind, ...] = (
    Kind(
        name="base64 of a configuration",
        make=lambda random: b64(
            random.choice(
                ["db:\n  user: app\n  password: {}\n", "DB_USER=app\nDB_PASSWORD={}\n", "amqp://app:{}@mq/shop"]
            ).replace("{}", of(ALNUM, 16)(random))
        ),
        texts=("decoded {} at start", "echo {} | base64 -d", "config={}"),
        manifests=(config_map("blob"), env("CONFIG_B64"), annotation("example.com/config"), custom("payload")),
    ),
    Kind(
        name="argument of a call or on the next line",
        make=password,
        texts=(
            'define("DB_PASSWORD", "{}");',
            "args:\n- --password\n- {}",
            "Args:\n  --db-password\n  {}\nState: Waiting",
            "password:\n  {}",
        ),
        manifests=(config_map("wp-config.php", 'define("DB_PASSWORD", "{}");'), args("--password", "{}")),
    ),
    Kind(
        name="database password",
        make=password,
        texts=(
            "DB_PASSWORD={}",
            "could not connect: host=db user=app password={} dbname=shop sslmode=disable",
            "level=debug msg=config db.password={} db.host=postgres",
            "my database password is {} and the login fails, why?",
            "Using password {} for user app",
        ),
        manifests=(env("DB_PASSWORD"), env("POSTGRES_PASSWORD"), env("MYSQL_PWD"), env("SPRING_DATASOURCE_PASSWORD")),
    ),
    Kind(
        name="Secret data",
        make=password,
        texts=("apiVersion: v1\nkind: Secret\nmetadata:\n  name: api\nstringData:\n  settings: {}\n",),
        manifests=(secret("settings"), secret("password"), secret("anything.txt", "{}\n"), secret("value", plain=True)),
    ),
    Kind(
        name="last applied Secret",
        make=password,
        texts=('{"apiVersion":"v1","kind":"Secret","stringData":{"settings":"{}"},"metadata":{"name":"api"}}',),
        manifests=(applied_secret("settings"), applied_secret("password")),
    ),
    Kind(
        name="Helm value",
        make=password,
        texts=("helm upgrade shop ./chart --set auth.password={}", "values: auth.rootPassword: {}"),
        manifests=(
            helm("postgresql.auth.password"),
            helm("global.redis.password"),
            helm_values("auth:\n  username: app\n  password: '{}'\nreplicas: 2\n"),
            helm_values("env:\n- name: ADMIN_PASSWORD\n  value: {}\n- name: LOG_LEVEL\n  value: info\n"),
        ),
    ),
    Kind(
        name="custom resource field",
        make=password,
        texts=('reconciling {"spec":{"admin":{"password":"{}"}}}', "spec.adminPassword: {} is not accepted, what now?"),
        manifests=(
            custom("admin", "password"),
            custom("rootPassword"),
            custom("auth", "bindPassword"),
            custom("dbPass"),
        ),
    ),
    Kind(
        name="configuration file",
        make=password,
        texts=(
            '[database]\nuser = "app"\npassword = "{}"',
            '<property name="password" value="{}"/>',
            "<password>{}</password>",
        ),
        manifests=(
            config_map(
                "application.properties",
                "spring.datasource.username=app\nspring.datasource.password={}\nserver.port=8080\n",
            ),
            config_map("config.json", '{"db": {"user": "app", "password": "{}", "port": 5432}}'),
            config_map("config.toml", '[database]\nuser = "app"\npassword = "{}"\nport = 5432\n'),
            config_map("config.yaml", "database:\n  user: app\n  password: {}\n  port: 5432\n"),
            config_map("redis.conf", "port 6379\nrequirepass {}\nappendonly yes\n"),
            config_map("settings.xml", "<server><username>a</username><password>{}</password></server>"),
        ),
    ),
    Kind(
        name="password argument",
        make=password,
        texts=("exec: /app/server --db-password={} --port 8080", "starting with args [--password {} --verbose]"),
        manifests=(
            args("--user=app", "--password={}"),
            args("--user", "app", "--password", "{}"),
            command("sh", "-c", "exec /app --admin-password '{}' --port 80"),
            args("-Dspring.datasource.password={}"),
        ),
    ),
    Kind(
        name="mysql -p",
        make=of(ALNUM, 14),
        texts=("+ mysql -h db -u root -p{} -e 'select 1'", "mysqladmin -uroot -p{} ping failed"),
        manifests=(command("mysql", "-uroot", "-p{}"), command("sh", "-c", "mysqldump -u root -p{} shop > /b.sql")),
    ),
    Kind(
        name="curl -u",
        make=of(ALNUM, 16),
        texts=(
            "+ curl -s -u admin:{} https://nexus.example.com/status",
            "curl --user admin:{} https://es:9200 gives 401",
        ),
        manifests=(
            command("curl", "-u", "admin:{}", "https://es:9200"),
            command("sh", "-c", "curl -fsu elastic:{} http://es:9200"),
        ),
    ),
    Kind(
        name="postgres URL",
        make=password,
        texts=("dial postgres://app:{}@postgres.shop.svc:5432/shop failed", "DATABASE_URL=postgresql://app:{}@db/shop"),
        manifests=(env("DATABASE_URL"), config_map("url", "postgres://app:{}@db:5432/shop")),
    ),
    Kind(
        name="mongodb URL",
        make=password,
        texts=("MongoServerError: mongodb+srv://app:{}@cluster0.ab1cd.mongodb.net/shop?retryWrites=true",),
        manifests=(config_map("uri", "mongodb://app:{}@m-0:27017,m-1:27017/shop?replicaSet=rs0"), custom("uri")),
    ),
    Kind(
        name="broker URL",
        make=password,
        texts=(
            "connecting to amqp://app:{}@rabbitmq:5672/%2f",
            "redis://:{}@redis-master:6379/0 refused the connection",
        ),
        manifests=(
            args("--broker=amqps://app:{}@rabbitmq:5671/"),
            config_map("CACHE", "redis://default:{}@redis:6379"),
        ),
    ),
    Kind(
        name="JDBC URL",
        make=of(ALNUM, 18),
        texts=(
            "HikariPool-1 - jdbc:postgresql://db:5432/shop?user=app&password={}&ssl=true",
            "jdbc:sqlserver://db:1433;databaseName=shop;user=sa;password={};encrypt=true cannot be opened",
        ),
        manifests=(env("JDBC_URL"), config_map("url", "jdbc:mysql://db:3306/shop?user=app&password={}")),
    ),
    Kind(
        name="ADO.NET connection string",
        make=of(ALNUM + "!^*", 18),
        texts=("Server=tcp:db.example.net,1433;Initial Catalog=shop;User ID=app;Password={};Encrypt=True;",),
        manifests=(
            config_map(
                "appsettings.json", '{"ConnectionStrings":{"Db":"Server=db;Database=shop;User Id=app;Password={};"}}'
            ),
            lambda value: env("ConnectionStrings__Db")(f"Server=db;Database=shop;Uid=app;Pwd={value};"),
        ),
    ),
    Kind(
        name="MySQL DSN",
        make=of(ALNUM + "!-_", 16),
        texts=("sql: open app:{}@tcp(mysql:3306)/shop?parseTime=true: connection refused",),
        manifests=(
            lambda value: env("DSN")(f"app:{value}@tcp(mysql:3306)/shop"),
            args("--dsn=app:{}@tcp(mysql:3306)/shop"),
        ),
    ),
    Kind(
        name="SQL password",
        make=of(ALNUM + "!#", 14),
        texts=("STATEMENT: CREATE USER app WITH PASSWORD '{}'", "ALTER USER 'app'@'%' IDENTIFIED BY '{}'"),
        manifests=(config_map("init.sql", "CREATE ROLE app LOGIN PASSWORD '{}';\nGRANT ALL ON shop TO app;\n"),),
    ),
    Kind(
        name="password in another language",
        make=of(ALNUM, 14),
        texts=(
            "Kennwort: {}",
            "mot de passe : {}",
            "usuario=app contraseña={}",
            "senha={} usuario=app",
            "пароль пользователя: {}",
            "数据库密码：{}",
            "パスワード={}",
        ),
        manifests=(env("MOT_DE_PASSE"), config_map("datenbank.passwort"), custom("wachtwoord"), env("DB_SENHA")),
    ),
    Kind(
        name="password spelt otherwise",
        make=of(ALNUM, 14),
        texts=(
            "\x1b[1mpassword\x1b[0m=\x1b[36m{}\x1b[0m host=db",
            "redirect_uri=postgres%3A%2F%2Fapp%3A{}%40db%3A5432%2Fx",
            "body=user%3Dapp%26password%3D{}%26x%3D1",
            "{&quot;password&quot;:&quot;{}&quot;}",
            'manifest: "apiVersion: v1\\nkind: Secret\\nstringData:\\n  settings: {}\\n"',
        ),
        manifests=(config_map("rendered", "<p>{&quot;password&quot;:&quot;{}&quot;}</p>"),),
    ),
    Kind(
        name="password in a table",
        make=of(ALNUM, 14),
        texts=(
            "\n| DB_PASSWORD | {} |",
            "\n| NAME | PASSWORD |\n|---|---|\n| app | {} |",
            "\nuser,password\nadmin,{}",
            "INSERT INTO users (name, password) VALUES ('bob', '{}')",
        ),
        manifests=(config_map("init.sql", "INSERT INTO users (name, password) VALUES ('a', '{}');\n"),),
    ),
    Kind(
        name="password of a command",
        make=of(ALNUM, 14),
        texts=(
            "htpasswd -bB /auth/file admin {}",
            "rabbitmqctl add_user app {}",
            "etcdctl --user root:{} endpoint health",
            "echo 'root:{}' | chpasswd",
        ),
        manifests=(command("rabbitmqctl", "add_user", "app", "{}"), command("etcdctl", "--user", "root:{}", "get")),
    ),
    Kind(
        name="password in words",
        make=lambda random: random.choice(["hunter", "Winter", "tiger"]) + str(random.randint(22, 99999)),
        texts=(
            "the password is {}",
            "I log in as admin with password {}",
            "creds are admin / {}",
            "pw: {} does not work",
        ),
        manifests=(env("APP_PASS"),),
    ),
)
