"""Tokens and keys that vendors give out.

Telling prefixes are joined from pieces, so that no scanner of repositories takes this file for a leak.
"""

import string
from urllib.parse import quote

from tests.redaction.corpus.making import (
    ALNUM,
    HEX,
    URLSAFE,
    Kind,
    annotation,
    args,
    config_map,
    custom,
    env,
    helm,
    of,
    pem,
    secret,
)

VENDORS: tuple[Kind, ...] = (
    Kind(
        name="Azure storage key",
        make=of(ALNUM + "+/", 86, suffix="=="),
        texts=("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={};EndpointSuffix=core.windows.net",),
        manifests=(env("AZURE_STORAGE_KEY"), config_map("store", "AccountName=shop;AccountKey={}")),
    ),
    Kind(
        name="Service Bus key",
        make=of(ALNUM + "+/", 43, suffix="="),
        texts=("Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}",),
        manifests=(
            config_map("bus", "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=R;SharedAccessKey={}"),
        ),
    ),
    Kind(
        name="SAS signature",
        make=lambda random: quote(of(ALNUM + "+/", 43, suffix="=")(random), safe=""),
        texts=("GET https://shop.blob.core.windows.net/b/f?sv=2024-11-04&se=2026-12-01&sr=b&sp=r&sig={} 403",),
        manifests=(args("https://shop.blob.core.windows.net/b?sv=2024-11-04&sp=r&sig={}"),),
    ),
    Kind(
        name="presigned S3 URL",
        make=of(HEX, 64),
        texts=("https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-Signature={}",),
        manifests=(config_map("download", "https://b.s3.amazonaws.com/k?X-Amz-Expires=900&X-Amz-Signature={}"),),
    ),
    Kind(
        name="AWS access key",
        make=of(string.ascii_uppercase + string.digits, 16, "AK" + "IA"),
        texts=("InvalidAccessKeyId: {} does not exist", "is {} allowed to read the bucket?"),
        manifests=(env("AWS_ACCESS_KEY_ID"), config_map("s3", "key_id = {}"), custom("s3", "accessKeyID")),
    ),
    Kind(
        name="AWS secret key",
        make=of(ALNUM + "+/", 40),
        texts=(
            "aws_secret_access_key = {}",
            'credentials "AK' + 'IAZX3KP5QWERTY77AB:{}" refused',
            "AWS_SECRET_ACCESS_KEY={} aws s3 ls",
        ),
        manifests=(env("AWS_SECRET_ACCESS_KEY"), config_map("credentials", "[default]\naws_secret_access_key = {}\n")),
    ),
    Kind(
        name="Google service account",
        make=lambda random: pem("")(random).replace("\n", "\\n") + "\\n",
        texts=('{"type":"service_account","project_id":"shop","private_key":"{}","client_id":"1"}',),
        manifests=(
            secret("sa.json", '{"type":"service_account","private_key":"{}"}'),
            env("GOOGLE_CREDENTIALS_JSON"),
            config_map("sa.json", '{"type": "service_account", "private_key": "{}", "client_email": "a@b.iam"}'),
        ),
    ),
    Kind(
        name="Google API key",
        make=of(URLSAFE, 35, "AI" + "za"),
        texts=("maps: key {} is restricted", "https://maps.googleapis.com/api?key={}"),
        manifests=(env("MAPS"), args("--maps={}")),
    ),
    Kind(
        name="GitHub token",
        make=lambda random: of(ALNUM, 36, random.choice(["gh" + "p_", "gh" + "s_", "gh" + "o_"]))(random),
        texts=("fatal: could not read from https://x-access-token:{}@github.com/o/r.git", "remote: {} expired"),
        manifests=(env("GIT_AUTH"), args("--repo=https://{}@github.com/o/r"), secret("token")),
    ),
    Kind(
        name="GitHub fine-grained token",
        make=of(ALNUM + "_", 82, "github" + "_pat_"),
        texts=("using {} for api.github.com", "I gave it {} and it still says 404"),
        manifests=(env("GITHUB_PAT"), custom("scm", "pat")),
    ),
    Kind(
        name="GitLab token",
        make=of(URLSAFE, 20, "gl" + "pat-", "a"),
        texts=("PRIVATE-TOKEN: {}", "HTTP Basic: Access denied, oauth2:{} was used"),
        manifests=(env("CI_JOB"), args("--gitlab={}")),
    ),
    Kind(
        name="Slack token",
        make=lambda random: (
            "xo" + f"xb-{random.randint(10**11, 10**12)}-{random.randint(10**11, 10**12)}-{of(ALNUM, 24)(random)}"
        ),
        texts=("slack: invalid_auth for {}", "the bot uses {}, is that right?"),
        manifests=(env("SLACK"), config_map("slack.yaml", "bot: {}\n")),
    ),
    Kind(
        name="Slack webhook",
        make=lambda random: f"T0{of(ALNUM, 9)(random)}/B0{of(ALNUM, 9)(random)}/{of(ALNUM, 24)(random)}",
        texts=("POST https://hooks.slack.com/services/{} 404",),
        manifests=(
            lambda value: env("ALERT_URL")("https://hooks.slack.com/services/" + value),
            config_map("alertmanager.yml", "slack_configs:\n- api_url: https://hooks.slack.com/services/{}\n"),
        ),
    ),
    Kind(
        name="npm token",
        make=of(ALNUM, 36, "np" + "m_"),
        texts=("npm ERR! 401 //npm.example.com/:_authToken={}",),
        manifests=(config_map(".npmrc", "//npm.example.com/:_authToken={}\n"), env("NPM")),
    ),
    Kind(
        name="PyPI token",
        make=of(URLSAFE, 100, "py" + "pi-AgEIcHlwaS5vcmc"),
        texts=("twine upload -u __token__ with {} gives 403",),
        manifests=(env("TWINE"), config_map(".pypirc", "[pypi]\nusername = __token__\npassword = {}\n")),
    ),
    Kind(
        name="Stripe key",
        make=of(ALNUM, 24, "sk_" + "live_"),
        texts=("stripe: Invalid API Key provided: {}", "is {} still active?"),
        manifests=(env("STRIPE"), helm("payments.stripe")),
    ),
    Kind(
        name="SendGrid key",
        make=lambda random: "S" + f"G.{of(URLSAFE, 22)(random)}.{of(URLSAFE, 43)(random)}",
        texts=("sendgrid 401 with {}",),
        manifests=(env("MAIL"), custom("mail", "sendgrid")),
    ),
    Kind(
        name="Twilio key",
        make=of(HEX, 32, "S" + "K"),
        texts=("twilio: {} unauthorized",),
        manifests=(env("TWILIO"),),
    ),
    Kind(
        name="OpenAI key",
        make=of(ALNUM + "-_", 64, "sk-" + "proj-"),
        texts=("openai.AuthenticationError: Incorrect API key provided: {}", "OPENAI_API_KEY={}"),
        manifests=(env("OPENAI_API_KEY"), env("LLM"), config_map("llm.yaml", "openai: {}\n")),
    ),
    Kind(
        name="Anthropic key",
        make=of(URLSAFE, 90, "sk-" + "ant-api03-"),
        texts=("x-api-key: {}", "anthropic says {} is invalid"),
        manifests=(env("ANTHROPIC_API_KEY"), args("--model-key", "{}")),
    ),
    Kind(
        name="Vault token",
        make=of(URLSAFE, 90, "hv" + "s."),
        texts=("X-Vault-Token: {}", "vault: permission denied for {}"),
        manifests=(env("VAULT_TOKEN"), annotation("example.com/vault")),
    ),
    Kind(
        name="age key",
        make=of(string.ascii_uppercase + string.digits, 58, "AGE-SECRET" + "-KEY-1"),
        texts=("sops: no identity matched {}",),
        manifests=(
            secret("keys.txt", "# created: 2026-01-01\n{}\n"),
            config_map("keys.txt", "# public key: age1\n{}\n"),
        ),
    ),
    Kind(
        name="OpenShift token",
        make=of(URLSAFE, 43, "sha256" + "~"),
        texts=("oc login --token={} --server=https://api:6443", "{} is not authorized"),
        manifests=(env("OC"), config_map("kubeconfig", "user:\n  token: {}\n")),
    ),
    Kind(
        name="Discord bot token",
        make=lambda random: f"M{of(ALNUM, 23)(random)}.{of(URLSAFE, 6)(random)}.{of(URLSAFE, 27)(random)}",
        texts=("discord login failed for {}",),
        manifests=(env("DISCORD"),),
    ),
    Kind(
        name="Telegram bot token",
        make=lambda random: f"{random.randint(10**8, 10**10 - 1)}:{of(URLSAFE, 34)(random)}A",
        texts=("telegram: https://api.telegram.org/bot{}/getMe 401", "telegram {} revoked"),
        manifests=(env("TELEGRAM"),),
    ),
    Kind(
        name="Azure client secret",
        make=lambda random: of(ALNUM, 3)(random) + "8" + "Q~" + of(ALNUM + "~._-", 34)(random),
        texts=("AADSTS7000215: Invalid client secret provided {}",),
        manifests=(env("AZURE_CLIENT_SECRET"), env("AZ")),
    ),
    Kind(
        name="Artifactory token",
        make=of(ALNUM, 64, "AK" + "Cp"),
        texts=("artifactory: {} expired",),
        manifests=(env("ARTIFACTORY"),),
    ),
    Kind(
        name="Docker Hub token",
        make=of(URLSAFE, 27, "dckr" + "_pat_"),
        texts=("docker login -u shop -p {} failed: unauthorized",),
        manifests=(env("HUB"), secret("password")),
    ),
    Kind(
        name="Grafana token",
        make=lambda random: "gl" + f"sa_{of(ALNUM, 32)(random)}_{of(HEX, 8)(random)}",
        texts=("grafana: 401 for {}",),
        manifests=(env("GRAFANA"),),
    ),
)
