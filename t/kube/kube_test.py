#!/usr/bin/env python3
"""Applies every overlay to a real Kubernetes API and lets the module read replicas from it: kube_test.py DIR

DIR is what setup.sh made. There are no nodes: pods are admitted, made and stay pending; the module runs here, with the account,
the token and the environment that its pod would have. Prints `N passed, N failed`.
"""
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "t", "lib")]
from mock import MODULE, free_port  # noqa: E402

OVERLAYS = sorted(os.listdir(os.path.join(ROOT, "k8s", "overlays")))
COMPONENTS = sorted(set(os.listdir(os.path.join(ROOT, "k8s", "components"))) - {"api-key"})
CUSTOM = (("autoscaling.aibrix.ai", "v1alpha1", "PodAutoscaler"), ("model.aibrix.ai", "v1alpha1", "ModelAdapter"),
          ("orchestration.aibrix.ai", "v1alpha1", "StormService"), ("keda.sh", "v1alpha1", "ScaledObject"),
          ("monitoring.coreos.com", "v1", "ServiceMonitor"))
passed = failed = 0


def check(name, got, want=True):
    global passed, failed
    if got == want:
        passed += 1
    else:
        failed += 1
        print("FAILED %s: %r, expected %r" % (name, got, want))


def until(seconds, what, want):
    """What `what` answers when it is `want`, or in the end."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got == want or time.monotonic() > end:
            return got
        time.sleep(0.2)


class Cluster:
    def __init__(self, directory, port=16443):
        self.dir, self.port = os.path.abspath(directory), port
        self.process = subprocess.Popen([os.path.join(HERE, "serve.sh"), self.dir, str(port)], stdout=subprocess.PIPE,
                                        text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            raise RuntimeError("the cluster does not start")
        self.command = [self.dir + "/bin/kubectl", "--kubeconfig", self.dir + "/run/kubeconfig"]
        self.authority = self.dir + "/run/ca.crt"

    def run(self, *arguments, stdin=None):
        r = subprocess.run(self.command + list(arguments), input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return r.returncode, r.stdout, r.stderr

    def kubectl(self, *arguments, stdin=None):
        """One that must go well."""
        status, out, err = self.run(*arguments, stdin=stdin)
        check("kubectl %s: %s" % (" ".join(arguments), err), status, 0)
        return out

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def as_token(self, token, method, path, body=None):
        """Status of a request as the module could make it."""
        request = urllib.request.Request("https://127.0.0.1:%d%s" % (self.port, path), body and json.dumps(body).encode(),
                                         {"Authorization": "Bearer " + token, "Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10, context=ssl.create_default_context(cafile=self.authority)) as r:
                return r.status
        except urllib.error.HTTPError as e:
            return e.code

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Pod:
    """The image's entry point with what a pod of the Deployment has."""

    def __init__(self, cluster, namespace, deployment, token):
        self.home = tempfile.mkdtemp(prefix="vllm-mock-kube-")
        for name in ("nginx.conf", "cluster-http.conf", "cluster-server.conf", "settings.sh"):
            os.symlink(os.path.join(ROOT, "docker", name), os.path.join(self.home, name))
        self.account = os.path.join(self.home, "account")
        os.mkdir(self.account)
        shutil.copy(cluster.authority, os.path.join(self.account, "ca.crt"))
        self.token(token)
        with open(os.path.join(self.account, "namespace"), "w") as f:
            f.write(namespace)
        template = cluster.get("deployment", deployment, "-n", namespace)["spec"]["template"]
        environment = {}
        for e in template["spec"]["containers"][0]["env"]:
            path = e.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath", "")
            label = re.fullmatch(r"metadata.labels\['(.*)'\]", path)
            if "value" in e:
                environment[e["name"]] = e["value"]
            elif label:
                environment[e["name"]] = template["metadata"]["labels"][label[1]]
            elif path == "metadata.namespace":
                environment[e["name"]] = namespace
        self.port = free_port()
        self.log = open(os.path.join(self.home, "log"), "w+")
        self.process = subprocess.Popen(
            [os.path.join(ROOT, "docker", "entrypoint.sh")], stdout=subprocess.DEVNULL, stderr=self.log,
            env={"PATH": os.environ["PATH"] + ":/usr/sbin", "VLLM_MOCK_HOME": self.home, "VLLM_MOCK_RUN": self.home + "/run",
                 "VLLM_MOCK_ETC": self.home + "/none", "VLLM_MOCK_NGINX_CONF": self.home + "/none", "VLLM_MOCK_USER": "root",
                 "VLLM_MOCK_MODULES": os.path.dirname(MODULE), "VLLM_MOCK_ACCOUNT": self.account,
                 "VLLM_MOCK_NGINX": os.environ.get("VM_NGINX", "nginx"),
                 "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(cluster.port),
                 "SERVER_PORT": str(self.port), **environment})
        check("it answers", until(10, self.alive, True))

    def token(self, text):
        with open(os.path.join(self.account, "token.new"), "w") as f:
            f.write(text)
        os.rename(os.path.join(self.account, "token.new"), os.path.join(self.account, "token"))

    def alive(self):
        try:
            return urllib.request.urlopen("http://127.0.0.1:%d/health" % self.port, timeout=5).status == 200
        except OSError:
            return False

    def metrics(self):
        """Replicas, whether their source is up, the scaled metric."""
        text = urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.port, timeout=5).read().decode()
        return tuple(float(re.search(p + r"(?:\{[^}]*\})? (\S+)", text)[1]) for p in (
            r"\nvllm_mock:replicas", r"\nvllm_mock:replica_source_up", r'\nvllm:avg_prompt_throughput_toks_per_s'))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.home)


def kustomization(cluster, overlay, namespace, components=()):
    """The overlay as a user changes it: another namespace, more components. Answers the directory."""
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    d = tempfile.mkdtemp(dir=os.path.join(ROOT, "build"))
    up = os.path.relpath(os.path.join(ROOT, "k8s"), d)
    with open(os.path.join(d, "kustomization.yaml"), "w") as f:
        json.dump({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": namespace,
                   "resources": ["%s/overlays/%s" % (up, overlay)],
                   "components": ["%s/components/%s" % (up, c) for c in components]}, f)
    return d


def custom_resources(cluster):
    """Kinds of others, of which only the names matter here."""
    for group, version, kind in CUSTOM:
        plural = kind.lower() + "s"
        cluster.kubectl("create", "-f", "-", stdin=json.dumps(
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
             "metadata": {"name": plural + "." + group},
             "spec": {"group": group, "scope": "Namespaced",
                      "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                      "versions": [{"name": version, "served": True, "storage": True,
                                    "schema": {"openAPIV3Schema": {"type": "object",
                                                                   "x-kubernetes-preserve-unknown-fields": True}}}]}}))
    for group, _, kind in CUSTOM:
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=20s", "crd/%ss.%s" % (kind.lower(), group))


def pods(cluster, namespace):
    """How many pods each Deployment of the namespace has, and should have."""
    have, want = {}, {}
    for o in cluster.get("deployments", "-n", namespace)["items"]:
        want[o["spec"]["template"]["metadata"]["labels"]["app"]] = o["spec"]["replicas"]
    for o in cluster.get("pods", "-n", namespace)["items"]:
        app = o["metadata"]["labels"]["app"]
        have[app] = have.get(app, 0) + 1
    return have, want


def overlays(cluster):
    cluster.kubectl("create", "namespace", "strict")
    for name in ("enforce", "warn"):
        cluster.kubectl("label", "namespace", "strict", "pod-security.kubernetes.io/%s=restricted" % name)
    for overlay in OVERLAYS:
        path = os.path.join(ROOT, "k8s", "overlays", overlay)
        cluster.kubectl("create", "-k", path, "--dry-run=server", "--validate=strict")
        cluster.kubectl("create", "-k", path)
        have, want = settled(cluster, "default")
        check(overlay + ": pods", have, want)
        cluster.kubectl("delete", "-k", path, "--wait=false")
        # the restricted standard is enforced there: a pod that is not so is not made
        d = kustomization(cluster, overlay, "strict")
        status, _, err = cluster.run("create", "-k", d, "--validate=strict")
        check("%s in a restricted namespace: %s" % (overlay, err), (status, "would violate" in err), (0, False))
        have, want = settled(cluster, "strict")
        check(overlay + ": pods of a restricted namespace", have, want)
        check(overlay + ": has some", sum(want.values()) > 0)
        storm(cluster, overlay)
        cluster.kubectl("delete", "-k", d, "--wait=false")
        shutil.rmtree(d)
        empty(cluster, "strict")
        empty(cluster, "default")
    # and the standard does refuse
    bad = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad", "namespace": "strict"},
           "spec": {"containers": [{"name": "x", "image": "x"}]}}
    status, _, err = cluster.run("create", "-f", "-", stdin=json.dumps(bad))
    check("others are refused there", (status != 0, "violates PodSecurity" in err), (True, True))


def settled(cluster, namespace):
    end = time.monotonic() + 20
    while True:
        have, want = pods(cluster, namespace)
        if have == want or time.monotonic() > end:
            return have, want
        time.sleep(0.2)


def empty(cluster, namespace):
    """There is no kubelet to end pods."""
    until(20, lambda: cluster.run("get", "deployments,replicasets", "-n", namespace, "-o", "name")[1], "")
    cluster.run("delete", "pods", "--all", "-n", namespace, "--force", "--grace-period=0")
    until(20, lambda: cluster.run("get", "pods", "-n", namespace, "-o", "name")[1], "")


def storm(cluster, overlay):
    """AIBrix' controller would make these pods."""
    if overlay != "aibrix":
        return
    for role in cluster.get("stormservice", "llama2-7b-pd", "-n", "strict")["spec"]["template"]["spec"]["roles"]:
        body = {"apiVersion": "v1", "kind": "Pod", "spec": role["template"]["spec"],
                "metadata": {"name": role["name"], "namespace": "strict", **role["template"]["metadata"]}}
        cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(body))


def components(cluster):
    d = kustomization(cluster, "mock", "default", COMPONENTS)
    cluster.kubectl("create", "-k", d, "--validate=strict")
    scaler = cluster.get("hpa", "llama2-7b")
    check("HPA: target", scaler["spec"]["scaleTargetRef"]["name"], "llama2-7b")
    check("HPA: metrics", [m["pods"]["metric"]["name"] for m in scaler["spec"]["metrics"]],
          ["vllm_num_requests_running", "vllm_num_requests_waiting"])

    def able():
        conditions = cluster.get("hpa", "llama2-7b").get("status", {}).get("conditions", [])
        return {c["type"]: c["status"] for c in conditions}.get("AbleToScale")

    check("HPA: its controller takes it", until(20, able, "True"), "True")
    cluster.kubectl("delete", "-k", d, "--wait=false")
    shutil.rmtree(d)
    empty(cluster, "default")


def replicas(cluster):
    cluster.kubectl("create", "-k", os.path.join(ROOT, "k8s", "overlays", "mock"))
    token = cluster.kubectl("create", "token", "vllm-mock").strip()
    pod = Pod(cluster, "default", "llama2-7b", token)
    try:
        check("as created", pod.metrics(), (3, 1, 100 / 3))
        for n in (1, 2, 3, 4, 5, 2, 0, 1):
            cluster.kubectl("scale", "deployment", "llama2-7b", "--replicas=%d" % n)
            time.sleep(1.1)
            check("scaled to %d" % n, pod.metrics(), (n, 1, 100 / max(n, 1)))
        rights(cluster, token)
        # a new token, as a kubelet writes it, and one that is no longer good
        pod.token("not")
        time.sleep(1.1)
        check("wrong token", pod.metrics()[:2], (1, 0))
        pod.token(cluster.kubectl("create", "token", "vllm-mock").strip())
        time.sleep(1.1)
        check("token of tomorrow", pod.metrics()[:2], (1, 1))
        cluster.kubectl("delete", "rolebinding", "vllm-mock")
        time.sleep(1.5)
        cluster.kubectl("scale", "deployment", "llama2-7b", "--replicas=4")
        check("without the right", until(10, lambda: pod.metrics()[1], 0), 0)
        check("the last value is kept", pod.metrics()[0], 1)
        pod.log.seek(0)
        text = pod.log.read()
        check("403 was said", "no replica count from \"/.cluster/replicas\": status 403" in text)
        check("nothing worse", re.search(r"\[(crit|alert|emerg)\]", text), None)
    finally:
        pod.stop()
    cluster.kubectl("delete", "deployment", "llama2-7b", "--wait=false")
    empty(cluster, "default")


def rights(cluster, token):
    """The account may read that one Deployment and nothing else."""
    base = "/apis/apps/v1/namespaces/default/deployments"
    check("may", cluster.as_token(token, "GET", base + "/llama2-7b"), 200)
    scale = {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "llama2-7b"}, "spec": {"replicas": 9}}
    for method, path, body in (
            ("GET", base, None), ("GET", base + "/other", None),
            ("DELETE", base + "/llama2-7b", None), ("PATCH", base + "/llama2-7b", {}), ("PUT", base + "/llama2-7b/scale", scale),
            ("GET", base + "/llama2-7b/scale", None), ("POST", base, {}),
            ("GET", base.replace("default", "kube-system") + "/llama2-7b", None),
            ("GET", "/api/v1/namespaces/default/pods", None), ("GET", "/api/v1/namespaces/default/secrets", None),
            ("GET", "/api/v1/namespaces/default/secrets/vllm-mock-api-key", None), ("GET", "/api/v1/nodes", None),
            ("GET", "/apis/apps/v1/namespaces/default/statefulsets", None)):
        check("may not %s %s" % (method, path), cluster.as_token(token, method, path, body), 403)
    check("may not watch", cluster.as_token(token, "GET", base + "?watch=1&fieldSelector=metadata.name%3Dllama2-7b"), 403)
    account = "--as=system:serviceaccount:default:vllm-mock"
    listed = cluster.kubectl("auth", "can-i", "--list", account).split("\n")[1:]
    mine = [line.split() for line in listed if line and not line.startswith(" ")
            and not line.startswith(("self", "tokenreviews", "subjectaccess"))]
    check("can-i --list", mine, [["deployments.apps", "[]", "[llama2-7b]", "[get]"]])


def main():
    if len(sys.argv) < 2 or not os.path.exists(os.path.join(sys.argv[1], "bin", "kube-apiserver")):
        print("kube-test: skipped: KUBE=DIR is needed, as `t/kube/setup.sh DIR` makes it\n0 passed, 0 failed")
        return 0
    begin = time.monotonic()
    cluster = Cluster(sys.argv[1])
    try:
        check("the default account is there", until(20, lambda: cluster.run("get", "serviceaccount", "default")[0], 0), 0)
        print("the cluster runs after %.0f s" % (time.monotonic() - begin))
        replicas(cluster)
        custom_resources(cluster)
        overlays_begin = time.monotonic()
        cluster.run("delete", "all,secret,role,rolebinding", "-l", "app.kubernetes.io/name=vllm-mock")
        cluster.run("delete", "serviceaccount/vllm-mock", "secret/vllm-mock-api-key", "role/vllm-mock")
        overlays(cluster)
        components(cluster)
        print("overlays and components: %.0f s" % (time.monotonic() - overlays_begin))
    finally:
        cluster.stop()
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


sys.exit(main())
