"""A Pod that crashes, as an API server returns it: the live manifest with its managed fields, events, and a log."""

from typing import Any

_LABELS = {"app.kubernetes.io/instance": "shop", "app.kubernetes.io/name": "checkout", "pod-template-hash": "6d5f9c7b8"}
_STARTED = "2026-11-28T06:40:12Z"


def manifest() -> dict[str, Any]:
    """The Pod `checkout-6d5f9c7b8-x2k4p`."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "checkout-6d5f9c7b8-x2k4p",
            "generateName": "checkout-6d5f9c7b8-",
            "namespace": "shop",
            "uid": "0b6c1d6e-55e6-4d2b-9a61-1f6f0f2f4a7c",
            "resourceVersion": "48211907",
            "creationTimestamp": _STARTED,
            "labels": _LABELS,
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": "checkout-6d5f9c7b8",
                    "uid": "f1f3a2e0-93f5-4a27-8f0e-2f9f4f7f1a11",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [_created(), _reported()],
        },
        "spec": _spec(),
        "status": _status(),
    }


def _created() -> dict[str, Any]:
    """What the replica set's controller owns, every field of it."""
    name: dict[str, Any] = {f"k:{json_key}": {".": {}, "f:name": {}, "f:value": {}} for json_key in map(_env_key, _ENV)}
    container: dict[str, Any] = {
        ".": {},
        "f:env": {".": {}} | name,
        "f:image": {},
        "f:imagePullPolicy": {},
        "f:livenessProbe": {
            ".": {},
            "f:failureThreshold": {},
            "f:httpGet": {".": {}, "f:path": {}, "f:port": {}, "f:scheme": {}},
            "f:periodSeconds": {},
            "f:successThreshold": {},
            "f:timeoutSeconds": {},
        },
        "f:name": {},
        "f:ports": {".": {}, 'k:{"containerPort":8080,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
        "f:resources": {".": {}, "f:limits": {".": {}, "f:memory": {}}, "f:requests": {".": {}, "f:memory": {}}},
        "f:terminationMessagePath": {},
        "f:terminationMessagePolicy": {},
    }
    return {
        "manager": "kube-controller-manager",
        "operation": "Update",
        "apiVersion": "v1",
        "time": _STARTED,
        "fieldsType": "FieldsV1",
        "fieldsV1": {
            "f:metadata": {
                "f:generateName": {},
                "f:labels": {".": {}} | {f"f:{label}": {} for label in _LABELS},
                "f:ownerReferences": {".": {}, 'k:{"uid":"f1f3a2e0-93f5-4a27-8f0e-2f9f4f7f1a11"}': {}},
            },
            "f:spec": {
                "f:containers": {'k:{"name":"checkout"}': container},
                "f:dnsPolicy": {},
                "f:enableServiceLinks": {},
                "f:restartPolicy": {},
                "f:schedulerName": {},
                "f:securityContext": {},
                "f:terminationGracePeriodSeconds": {},
            },
        },
    }


def _reported() -> dict[str, Any]:
    """What the kubelet owns."""
    kinds = ("ContainersReady", "Initialized", "PodReadyToStartContainers", "Ready")
    condition: dict[str, Any] = {
        ".": {},
        "f:lastProbeTime": {},
        "f:lastTransitionTime": {},
        "f:status": {},
        "f:type": {},
    }
    return {
        "manager": "kubelet",
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-11-28T07:10:44Z",
        "fieldsType": "FieldsV1",
        "subresource": "status",
        "fieldsV1": {
            "f:status": {
                "f:conditions": {f'k:{{"type":"{kind}"}}': condition for kind in kinds},
                "f:containerStatuses": {},
                "f:hostIP": {},
                "f:hostIPs": {},
                "f:phase": {},
                "f:podIP": {},
                "f:podIPs": {".": {}, 'k:{"ip":"10.244.1.37"}': {".": {}, "f:ip": {}}},
                "f:startTime": {},
            }
        },
    }


_ENV = ("CATALOG_URL", "CART_URL", "PAYMENT_URL", "LOG_LEVEL", "JAVA_TOOL_OPTIONS")


def _env_key(name: str) -> str:
    return f'{{"name":"{name}"}}'


def _spec() -> dict[str, Any]:
    mount = {
        "name": "kube-api-access-7rk2m",
        "readOnly": True,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    }
    token = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    authority = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    tolerations = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("not-ready", "unreachable")
    ]
    return {
        "volumes": [
            {"name": "kube-api-access-7rk2m", "projected": {"sources": [token, authority], "defaultMode": 420}}
        ],
        "containers": [
            {
                "name": "checkout",
                "image": "registry.example.com/shop/checkout:2.14.0",
                "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                "env": [
                    {"name": "CATALOG_URL", "value": "http://catalog.shop.svc.cluster.local:8080"},
                    {"name": "CART_URL", "value": "http://cart.shop.svc.cluster.local:8080"},
                    {"name": "PAYMENT_URL", "value": "http://payment.shop.svc.cluster.local:8080"},
                    {"name": "LOG_LEVEL", "value": "info"},
                    {"name": "JAVA_TOOL_OPTIONS", "value": "-XX:MaxRAMPercentage=90"},
                ],
                "resources": {"limits": {"memory": "256Mi"}, "requests": {"memory": "256Mi", "cpu": "100m"}},
                "volumeMounts": [mount],
                "livenessProbe": {
                    "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"},
                    "timeoutSeconds": 1,
                    "periodSeconds": 10,
                    "successThreshold": 1,
                    "failureThreshold": 3,
                },
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "imagePullPolicy": "IfNotPresent",
            }
        ],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "nodeName": "worker-2",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "tolerations": tolerations,
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _status() -> dict[str, Any]:
    unready = {"reason": "ContainersNotReady", "message": "containers with unready status: [checkout]"}
    conditions: list[tuple[str, str, dict[str, str]]] = [
        ("PodReadyToStartContainers", "True", {}),
        ("Initialized", "True", {}),
        ("Ready", "False", unready),
        ("ContainersReady", "False", unready),
        ("PodScheduled", "True", {}),
    ]
    back_off = "back-off 5m0s restarting failed container=checkout pod=checkout-6d5f9c7b8-x2k4p_shop"
    return {
        "phase": "Running",
        "conditions": [
            {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": _STARTED} | more
            for kind, status, more in conditions
        ],
        "hostIP": "10.0.3.12",
        "hostIPs": [{"ip": "10.0.3.12"}],
        "podIP": "10.244.1.37",
        "podIPs": [{"ip": "10.244.1.37"}],
        "startTime": _STARTED,
        "containerStatuses": [
            {
                "name": "checkout",
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": back_off}},
                "lastState": {
                    "terminated": {
                        "exitCode": 137,
                        "reason": "OOMKilled",
                        "startedAt": "2026-11-28T07:09:21Z",
                        "finishedAt": "2026-11-28T07:10:43Z",
                        "containerID": f"containerd://{'5d3c' * 16}",
                    }
                },
                "ready": False,
                "restartCount": 9,
                "image": "registry.example.com/shop/checkout:2.14.0",
                "imageID": f"registry.example.com/shop/checkout@sha256:{'9e1f' * 16}",
                "containerID": f"containerd://{'5d3c' * 16}",
                "started": False,
            }
        ],
        "qosClass": "Burstable",
    }


def events() -> list[dict[str, Any]]:
    """Its events as `kubectl get events -o json` shows them."""
    told = [
        ("Normal", "Scheduled", "Successfully assigned shop/checkout-6d5f9c7b8-x2k4p to worker-2", 1),
        ("Normal", "Pulled", 'Container image "registry.example.com/shop/checkout:2.14.0" already present', 10),
        ("Normal", "Created", "Created container: checkout", 10),
        ("Normal", "Started", "Started container checkout", 10),
        ("Warning", "Unhealthy", 'Liveness probe failed: Get "http://10.244.1.37:8080/healthz": timed out', 4),
        (
            "Warning",
            "BackOff",
            "Back-off restarting failed container checkout in pod checkout-6d5f9c7b8-x2k4p_shop",
            87,
        ),
    ]
    return [_event(number, *each) for number, each in enumerate(told)]


def _event(number: int, kind: str, reason: str, message: str, count: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"checkout-6d5f9c7b8-x2k4p.187c3f2a9b1d{number:04x}",
            "namespace": "shop",
            "uid": f"7c1b2a90-0000-4000-8000-00000000{number:04x}",
            "resourceVersion": f"482118{number:02}",
            "creationTimestamp": _STARTED,
        },
        "involvedObject": {
            "kind": "Pod",
            "namespace": "shop",
            "name": "checkout-6d5f9c7b8-x2k4p",
            "uid": "0b6c1d6e-55e6-4d2b-9a61-1f6f0f2f4a7c",
            "apiVersion": "v1",
            "resourceVersion": "48205551",
            "fieldPath": "spec.containers{checkout}",
        },
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": "worker-2"},
        "firstTimestamp": _STARTED,
        "lastTimestamp": f"2026-11-28T07:1{number}:44Z",
        "count": count,
        "type": kind,
        "eventTime": None,
        "reportingComponent": "kubelet",
        "reportingInstance": "worker-2",
    }


def log(lines: int) -> str:
    """The last lines of the container before it was killed: requests served, a heap that fills, an error at its end."""
    paths = ("/api/v1/checkout", "/api/v1/basket", "/healthz", "/api/v1/orders")
    served = [
        f"2026-11-28T07:{9 + second // 60:02}:{second % 60:02}.{second * 137 % 1000:03}Z INFO  [http-nio-8080-exec-"
        f"{second % 8 + 1}] c.e.shop.AccessLog - GET {paths[second % 4]} status=200 duration={second * 31 % 90 + 3}ms "
        f"trace={second * 2654435761 % 2**32:08x}"
        for second in range(lines - 8)
    ]
    for position, share in ((lines // 3, 71), (lines // 2, 84), (lines * 3 // 4, 96)):
        served.insert(
            position,
            f"2026-11-28T07:10:0{share % 10}.000Z WARN  [gc] c.e.shop.HeapWatch - heap at {share} % of 230 MiB",
        )
    return "\n".join(
        [
            *served,
            "2026-11-28T07:10:42.310Z ERROR [http-nio-8080-exec-3] c.e.shop.Checkout - request failed",
            "java.lang.OutOfMemoryError: Java heap space",
            "\tat java.base/java.util.Arrays.copyOf(Arrays.java:3537)",
            "\tat com.example.shop.PriceCache.load(PriceCache.java:88)",
            "\tat com.example.shop.Checkout.price(Checkout.java:142)",
        ]
    )
