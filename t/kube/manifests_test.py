#!/usr/bin/env python3
"""Renders every overlay and looks at what comes out; asks a real Prometheus, under load, what dashboard, adapter and KEDA ask.

Prints `N passed, N failed`. Without kubectl (or $KUBECTL) or Prometheus it says so and leaves that part out.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
from mock import MODULE, ROOT, Mock, free_port  # noqa: E402

try:
    import yaml
except ImportError:
    if sys.executable != "/usr/bin/python3":        # Debian's has it, another one may not
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("manifests: skipped: Python has no yaml (package python3-yaml)\n0 passed, 0 failed")
    sys.exit(0)

KUBECTL = os.environ.get("KUBECTL") or shutil.which("kubectl")
OVERLAYS = sorted(d for d in os.listdir(os.path.join(ROOT, "k8s", "overlays")))
COMPONENTS = sorted(d for d in os.listdir(os.path.join(ROOT, "k8s", "components")))
KEY = "test-key-1234567890"
passed = failed = 0


def check(name, got, want=True):
    global passed, failed
    if got == want:
        passed += 1
    else:
        failed += 1
        print("FAILED %s: %r, expected %r" % (name, got, want))


def render(directory):
    r = subprocess.run([KUBECTL, "kustomize", directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check("%s renders: %s" % (os.path.relpath(directory, ROOT), r.stderr), r.returncode, 0)
    return [o for o in yaml.safe_load_all(r.stdout) if o]


def with_components(overlay, components):
    """The overlay with components, as a user adds them."""
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, "build")) as d:
        up = os.path.relpath(os.path.join(ROOT, "k8s"), d)
        with open(os.path.join(d, "kustomization.yaml"), "w") as f:
            json.dump({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": "default",
                       "resources": ["%s/overlays/%s" % (up, overlay)],
                       "components": ["%s/components/%s" % (up, c) for c in components]}, f)
        return render(d)


def of_kind(objects, kind):
    return [o for o in objects if o["kind"] == kind]


def one(objects, kind):
    found = of_kind(objects, kind)
    check("one " + kind, len(found), 1)
    return found[0]


def templates(objects):
    """(owner's name, pod template) of all that makes pods."""
    for o in of_kind(objects, "Deployment"):
        yield o["metadata"]["name"], o["spec"]["template"]
    for o in of_kind(objects, "StormService"):
        for role in o["spec"]["template"]["spec"]["roles"]:
            yield o["metadata"]["name"] + "/" + role["name"], role["template"]


def matches(selector, labels):
    return bool(selector) and all(labels.get(k) == v for k, v in selector.items())


# ---- what every pod must be ----

def shutdown_timeout():
    with open(os.path.join(ROOT, "docker", "nginx.conf")) as f:
        return int(re.search(r"worker_shutdown_timeout\s+(\d+)s;", f.read())[1])


def pod(where, name, template, secrets):
    spec = template["spec"]
    c, = spec["containers"]
    where = "%s %s: " % (where, name)
    check(where + "image", re.fullmatch(r"aibrix/vllm-(mock|simulator):nightly", c["image"]) is not None)
    check(where + "one port at least", c["ports"][0], {"name": "http", "containerPort": 8000})
    environment = {e["name"]: e for e in c["env"]}
    check(where + "no variable twice", len(environment), len(c["env"]))
    key = environment["API_KEY"]["valueFrom"]["secretKeyRef"]
    check(where + "key of a secret", secrets.get(key["name"], {}).get(key["key"]), KEY)
    arguments = c.get("args", [])
    ready = "/health" if arguments else "/ready"
    for probe, path in (("readinessProbe", ready), ("livenessProbe", "/health")):
        check(where + probe, (c[probe]["httpGet"]["path"], c[probe]["httpGet"]["port"]), (path, "http"))
    wait = c["lifecycle"]["preStop"]["exec"]["command"]
    check(where + "preStop waits", wait[0] == "sleep" and int(wait[1]) >= 3)
    check(where + "time for streams", spec["terminationGracePeriodSeconds"] > int(wait[1]) + shutdown_timeout())
    check(where + "requests", sorted(c["resources"]["requests"]), ["cpu", "memory"])
    check(where + "a limit of memory", "memory" in c["resources"]["limits"])
    # the restricted Pod Security Standard
    check(where + "not root", spec["securityContext"]["runAsNonRoot"])
    check(where + "seccomp", spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
    check(where + "container", c["securityContext"], {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                      "capabilities": {"drop": ["ALL"]}})
    check(where + "nothing of the host", [k for k in spec if k.startswith("host")], [])
    mounts = {m["mountPath"]: m["name"] for m in c["volumeMounts"]}
    volumes = {v["name"]: v for v in spec["volumes"]}
    check(where + "volumes", set(mounts.values()), set(volumes))
    check(where + "one place to write to", [n for n, v in volumes.items() if "emptyDir" in v], [mounts["/tmp"]])
    check(where + "kinds of volumes", all(set(v) - {"name"} <= {"emptyDir", "configMap"} for v in volumes.values()))
    check(where + "service account", spec["serviceAccountName"], "vllm-mock")


def rights(where, objects):
    role, binding, account = one(objects, "Role"), one(objects, "RoleBinding"), one(objects, "ServiceAccount")
    deployments = sorted(o["metadata"]["name"] for o in of_kind(objects, "Deployment"))
    check(where + " rights", role["rules"], [{"apiGroups": ["apps"], "resources": ["deployments"],
                                             "resourceNames": role["rules"][0]["resourceNames"], "verbs": ["get"]}])
    check(where + " of these alone", sorted(role["rules"][0]["resourceNames"]), deployments)
    check(where + " bound role", binding["roleRef"]["name"], role["metadata"]["name"])
    check(where + " bound account", binding["subjects"], [{"kind": "ServiceAccount", "name": account["metadata"]["name"],
                                                         "namespace": account["metadata"]["namespace"]}])


def overlay(name, objects):
    check(name + " namespace", {o["metadata"]["namespace"] for o in objects}, {"default"})
    secrets = {o["metadata"]["name"]: o["stringData"] for o in of_kind(objects, "Secret")}
    for owner, template in templates(objects):
        pod(name, owner, template, secrets)
    rights(name, objects)
    for o in of_kind(objects, "Deployment"):
        labels, title = o["spec"]["template"]["metadata"]["labels"], "%s %s: " % (name, o["metadata"]["name"])
        check(title + "selector", matches(o["spec"]["selector"]["matchLabels"], labels))
        variable = {e["name"]: e for e in o["spec"]["template"]["spec"]["containers"][0]["env"]}["DEPLOYMENT_NAME"]
        label = re.fullmatch(r"metadata.labels\['(.*)'\]", variable["valueFrom"]["fieldRef"]["fieldPath"])[1]
        check(title + "DEPLOYMENT_NAME", labels[label], o["metadata"]["name"])
        for k, v in (("model.aibrix.ai/name", "llama2-7b"), ("model.aibrix.ai/port", "8000"),
                     ("adapter.model.aibrix.ai/enabled", "true")):
            check(title + k, (o["metadata"]["labels"].get(k), labels.get(k)), (v, v))
        check(title + "prometheus.io", o["spec"]["template"]["metadata"]["annotations"],
              {"prometheus.io/scrape": "true", "prometheus.io/port": "8000", "prometheus.io/path": "/metrics"})
        check(title + "a rolling update keeps all", o["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0)
    selectors = [json.dumps(o["spec"]["selector"], sort_keys=True) for o in of_kind(objects, "Deployment")]
    check(name + ": no two Deployments share pods", len(set(selectors)), len(selectors))
    service = one(objects, "Service")
    check(name + ": service", (service["metadata"]["name"], service["spec"]["ports"][0]),
          ("llama2-7b", {"name": "http", "port": 8000, "targetPort": "http"}))
    for o in of_kind(objects, "Deployment"):
        template = o["spec"]["template"]
        check(name + ": service finds " + o["metadata"]["name"], matches(service["spec"]["selector"],
                                                                        template["metadata"]["labels"]))
        ports = {p["name"]: p["containerPort"] for p in template["spec"]["containers"][0]["ports"]}
        check(name + ": service's ports", [p["port"] for p in service["spec"]["ports"]],
              [ports.get(p["targetPort"]) for p in service["spec"]["ports"]])


def particular(rendered):
    """What each overlay is there for."""
    def env(o):
        return {e["name"]: e.get("value") for e in o["spec"]["template"]["spec"]["containers"][0]["env"]}

    def deployments(name):
        return {o["metadata"]["name"]: o for o in of_kind(rendered[name], "Deployment")}

    check("mock: replicas", {n: o["spec"]["replicas"] for n, o in deployments("mock").items()}, {"llama2-7b": 3})
    d = deployments("simulator")["llama2-7b"]
    check("simulator", (env(d)["SIMULATION"], d["spec"]["template"]["spec"]["containers"][0]["image"]),
          ("a100", "aibrix/vllm-simulator:nightly"))
    check("heterogeneous", {n: env(o)["SIMULATION"] for n, o in deployments("heterogeneous").items()},
          {"llama2-7b-a100": "a100", "llama2-7b-a40": "a40"})
    check("pd", {n: o["spec"]["template"]["metadata"]["labels"]["role-name"] for n, o in deployments("pd").items()},
          {"llama2-7b-prefill": "prefill", "llama2-7b-decode": "decode"})
    service = one(rendered["fleet"], "Service")
    check("fleet: ports", [p["port"] for p in service["spec"]["ports"]], list(range(8000, 8008)))
    c = deployments("fleet")["llama2-7b"]["spec"]["template"]["spec"]
    mount = {m["mountPath"]: m for m in c["containers"][0]["volumeMounts"]}["/etc/vllm-mock/nginx.conf"]
    volume = {v["name"]: v for v in c["volumes"]}[mount["name"]]
    configuration = one(rendered["fleet"], "ConfigMap")
    check("fleet: mounted", (volume["configMap"]["name"], mount["subPath"] in configuration["data"]),
          (configuration["metadata"]["name"], True))
    check("fleet: listens", [int(p) for p in re.findall(r"listen (\d+);", configuration["data"]["nginx.conf"])],
          list(range(8000, 8008)))
    objects = rendered["aibrix"]
    labels = [t["metadata"]["labels"] for _, t in templates(objects)]
    adapter, scaler = one(objects, "ModelAdapter"), one(objects, "PodAutoscaler")
    check("adapter's pods", any(matches(adapter["spec"]["podSelector"]["matchLabels"], x) for x in labels))
    check("adapter's base", adapter["spec"]["baseModel"], "llama2-7b")
    check("scaler's target", scaler["spec"]["scaleTargetRef"]["name"] in deployments("aibrix"))
    check("scaler's metric", scaler["spec"]["metricsSources"][0]["targetMetric"], "avg_prompt_throughput_toks_per_s")
    storm = one(objects, "StormService")
    check("roles", [r["name"] for r in storm["spec"]["template"]["spec"]["roles"]], ["prefill", "decode"])
    check("storm's selector", matches(storm["spec"]["selector"]["matchLabels"], storm["spec"]["template"]["metadata"]["labels"]))


def components():
    """Every one on top of the mocked application."""
    objects = with_components("mock", [c for c in COMPONENTS if c != "api-key"])
    names = {o["metadata"]["name"] for o in of_kind(objects, "Deployment")}
    check("HPA's target", one(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] in names)
    check("KEDA's target", one(objects, "ScaledObject")["spec"]["scaleTargetRef"]["name"] in names)
    monitor, service = one(objects, "ServiceMonitor"), one(objects, "Service")
    check("monitor's selector", matches(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"]))
    check("monitor's port", [e["port"] for e in monitor["spec"]["endpoints"]], ["http"])
    maps = {o["metadata"]["name"]: o for o in of_kind(objects, "ConfigMap")}
    check("the sidecar's label", maps["vllm-mock-dashboard"]["metadata"]["labels"].get("grafana_dashboard"), "1")
    return objects, maps


# ---- the pods' servers: image, environment and arguments start ----

def starts(rendered):
    home = tempfile.mkdtemp(prefix="vllm-mock-home-")
    for name in ("nginx.conf", "cluster-http.conf", "cluster-server.conf", "settings.sh"):
        os.symlink(os.path.join(ROOT, "docker", name), os.path.join(home, name))
    os.symlink(os.path.join(ROOT, "profiles"), os.path.join(home, "profiles"))
    seen = set()
    for name, objects in rendered.items():
        for owner, template in templates(objects):
            c = template["spec"]["containers"][0]
            environment = {e["name"]: e["value"] for e in c["env"] if "value" in e}
            if any(v["name"] == "configuration" for v in template["spec"]["volumes"]):
                continue
            kind = json.dumps([environment, c.get("args")])
            if kind not in seen:
                seen.add(kind)
                serves("%s %s" % (name, owner), home, c, environment)
    text = one(rendered["fleet"], "ConfigMap")["data"]["nginx.conf"]
    ports = {8000 + i: free_port() for i in range(8)}
    for old, new in ports.items():
        text = text.replace("listen %d;" % old, "listen 127.0.0.1:%d;" % new)
    etc = os.path.join(home, "etc")
    os.mkdir(etc)
    with open(os.path.join(etc, "nginx.conf"), "w") as f:
        # Debian's paths below /var are the image's; here there are others
        f.write(text.replace("modules/ngx_http_vllm_mock_module.so", MODULE)
                .replace("http {", "http { " + " ".join("%s_temp_path %s/%s;" % (k, home, k) for k in
                                                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")), 1))
    process = entry_point(home, [], {"VLLM_MOCK_ETC": etc})
    try:
        for port in ports.values():
            check("fleet answers", wait_for("http://127.0.0.1:%d/ready" % port, process), 200)
        body = json.dumps({"model": "m", "prompt": "x", "max_tokens": 1}).encode()
        first = "http://127.0.0.1:%d" % ports[8000]
        urllib.request.urlopen(urllib.request.Request(first + "/v1/completions", body, {"Content-Type": "application/json"}))
        counts = [urllib.request.urlopen("http://127.0.0.1:%d/metrics" % p).read().decode().split(
            'vllm:request_success_total{engine="0",finished_reason="length",model_name="llama2-7b"} ')[1].split("\n")[0]
            for p in ports.values()]
        check("each its own metrics", counts, ["1.0"] + ["0.0"] * 7)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    shutil.rmtree(home)


def entry_point(home, arguments, environment):
    run = tempfile.mkdtemp(dir=home)
    return subprocess.Popen(
        [os.path.join(ROOT, "docker", "entrypoint.sh"), *arguments],
        stdout=subprocess.DEVNULL, stderr=open(os.path.join(run, "stderr"), "w"),
        env={"PATH": os.environ["PATH"] + ":/usr/sbin", "VLLM_MOCK_HOME": home, "VLLM_MOCK_RUN": run,
             "VLLM_MOCK_ETC": home + "/none", "VLLM_MOCK_NGINX_CONF": home + "/none", "VLLM_MOCK_USER": "root",
             "VLLM_MOCK_MODULES": os.path.dirname(MODULE), "VLLM_MOCK_NGINX": os.environ.get("VM_NGINX", "nginx"),
             **environment})


def wait_for(url, process):
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5) as r:
                return r.status
        except urllib.error.HTTPError as e:
            return e.code
        except OSError:
            if process.poll() is not None:
                return "ended with %d" % process.returncode
            time.sleep(0.02)
    return "no answer"


def serves(name, home, container, environment):
    port = free_port()
    process = entry_point(home, container.get("args", []), {**environment, "SERVER_PORT": str(port), "API_KEY": KEY})
    url = "http://127.0.0.1:%d" % port
    try:
        for probe in ("livenessProbe", "readinessProbe"):
            check("%s: %s" % (name, probe), wait_for(url + container[probe]["httpGet"]["path"], process), 200)
        request = urllib.request.Request(
            url + "/v1/chat/completions", json.dumps({"model": "llama2-7b-pd" if "aibrix" in name and container.get("args")
                                                      else "llama2-7b", "messages": [{"role": "user", "content": "hi"}],
                                                      "max_tokens": 3}).encode(),
            {"Content-Type": "application/json", "Authorization": "Bearer " + KEY})
        check(name + ": chat", urllib.request.urlopen(request, timeout=20).status, 200)
    except OSError as e:
        check("%s: %s" % (name, e), False)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


# ---- what is asked of Prometheus ----

def adapter_queries(text):
    """(name of the metric, series' selector, query) of the adapter's rules, its templates filled in."""
    for rule in yaml.safe_load(text)["rules"]:
        yield rule["seriesQuery"], rule["name"], rule["metricsQuery"]


class Prometheus:
    def __init__(self, targets):
        self.port = free_port()
        self.dir = tempfile.mkdtemp(prefix="vllm-mock-prometheus-")
        path = os.path.join(self.dir, "prometheus.yml")
        with open(path, "w") as f:
            json.dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                       "scrape_configs": [{"job_name": "pods", "static_configs": [
                           {"targets": [target], "labels": {"namespace": "default", "pod": pod_name}}
                           for pod_name, target in targets.items()]}]}, f)
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=" + path, "--storage.tsdb.path=" + self.dir + "/data",
             "--web.listen-address=127.0.0.1:%d" % self.port, "--log.level=error"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(self, path, **parameters):
        url = "http://127.0.0.1:%d/api/v1/%s?%s" % (self.port, path, urllib.parse.urlencode(parameters))
        try:
            with urllib.request.urlopen(url, timeout=10) as r:
                return json.load(r)["data"]
        except urllib.error.HTTPError as e:
            return {"error": json.load(e).get("error")}

    def query(self, text):
        """The numbers that an instant query answers; none if it is refused or has no series."""
        data = self.ask("query", query=text)
        return [float(s["value"][1]) for s in data.get("result", [])]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)


def load(mocks, stop):
    """Many requests on little room: queues, cache hits, every finish reason that tokens can have."""
    def client(mock, i):
        n = 0
        while not stop.is_set():
            n += 1
            body = {"model": "llama2-7b", "prompt": "The same beginning of every prompt. " * 20 + "%d %d" % (i, n),
                    "max_tokens": 4 + (n + i) % 40, "stream": n % 2 == 0}
            try:
                request = urllib.request.Request(mock.url + "/v1/completions", json.dumps(body).encode(),
                                                 {"Content-Type": "application/json"})
                urllib.request.urlopen(request, timeout=20).read()
            except OSError:
                pass

    threads = [threading.Thread(target=client, args=(m, i), daemon=True) for m in mocks for i in range(6)]
    for t in threads:
        t.start()
    return threads


def queries(objects, maps):
    if shutil.which("prometheus") is None:
        print("manifests: Prometheus is not here: dashboard and rules are not asked")
        return
    server = ("vllm_mock_metrics live legacy=on; vllm_mock_engine max_num_seqs=3 max_loras=4;"
              "vllm_mock_unknown_models accept; vllm_mock_latency constant ttft=20ms itl=4ms;")
    mocks = [Mock(server=server) for _ in range(2)]
    stop = threading.Event()
    prometheus = Prometheus({"llama2-7b-%d" % i: "127.0.0.1:%d" % m.port for i, m in enumerate(mocks)})
    try:
        threads = load(mocks, stop)
        for _ in range(120):
            time.sleep(0.5)
            try:
                if (prometheus.query('min(count_over_time(vllm:generation_tokens_total[1m]))') or [0])[0] >= 8:
                    break
            except OSError:
                pass
        families = {line.split()[2] for line in mocks[0].get("/metrics").split("\n") if line.startswith("# TYPE")}
        dashboard(prometheus, json.loads(maps["vllm-mock-dashboard"]["data"]["vllm-mock.json"]), families)
        adapter(prometheus, objects, maps["vllm-mock-adapter-rules"]["data"]["config.yaml"])
        for trigger in one(objects, "ScaledObject")["spec"]["triggers"]:
            got = prometheus.query(trigger["metadata"]["query"])
            check("KEDA: %r" % got, len(got) == 1 and got[0] > 0)
    finally:
        stop.set()
        prometheus.stop()
        for t in threads:
            t.join()
        for m in mocks:
            m.stop()


def dashboard(prometheus, board, families):
    identifiers = [p["id"] for p in board["panels"]]
    check("panels' ids", len(set(identifiers)), len(identifiers))
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    check("panels' places", len(set(places)), len(places))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            got = prometheus.query("count by (%s) (%s)" % (label, series.replace("$namespace", ".*")))
            check("variable %s" % variable["name"], len(got) > 0)
    for p in board["panels"]:
        for target in p.get("targets", []):
            text = (target["expr"].replace("$namespace", ".*").replace("$model", ".*").replace("$__rate_interval", "10s"))
            for name in re.findall(r"\b((?:vllm|vllm_mock):\w+|http_\w+)", target["expr"]):
                base = re.sub(r"_(bucket|sum|count)$", "", name)
                check("%s: we export %s" % (p["title"], name), name in families or base in families)
            got = prometheus.query(text)
            check("%s: %s: %r" % (p["title"], text, got), len(got) > 0 and all(v == v for v in got))
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                check("%s: legend %s" % (p["title"], label), label in re.search(r"by \(([^)]*)\)", text)[1])


def adapter(prometheus, objects, text):
    exported = set()
    for selector, name, template in adapter_queries(text):
        found = {s["__name__"] for s in prometheus.ask("series", **{"match[]": selector})}
        check("adapter: %s finds series" % selector, len(found) > 0)
        for series in found:
            exported.add(re.sub(name["matches"], name["as"].replace("${1}", r"\1"), series))
            query = template.replace("<<.Series>>", series).replace("<<.LabelMatchers>>", 'namespace="default",pod=~"llama2-7b-.*"')
            query = query.replace("<<.GroupBy>>", "pod")
            # what a rule asks for a minute's rate is there after seconds
            got = prometheus.query(query)
            check("adapter: %s: %r" % (query, got), len(got) == 2 and all(v == v for v in got))
    for metric in one(objects, "HorizontalPodAutoscaler")["spec"]["metrics"]:
        check("the adapter has " + metric["pods"]["metric"]["name"], metric["pods"]["metric"]["name"] in exported)


def main():
    if KUBECTL is None:
        print("manifests: skipped: kubectl is not here (nor $KUBECTL)\n0 passed, 0 failed")
        return 0
    check("the whole is the mocked application", render(os.path.join(ROOT, "k8s")),
          render(os.path.join(ROOT, "k8s", "overlays", "mock")))
    rendered = {name: render(os.path.join(ROOT, "k8s", "overlays", name)) for name in OVERLAYS}
    for name, objects in rendered.items():
        overlay(name, objects)
    particular(rendered)
    objects, maps = components()
    starts(rendered)
    queries(objects, maps)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


sys.exit(main())
