"""What the files of checks share: the list of checks, a server for one of them, the count."""
import os
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mock  # noqa: E402

CHECKS = []
MODEL = "tiny"
SAY = [{"role": "user", "content": "Tell me about rivers."}]
TOOLS = "--enable-auto-tool-choice --tool-call-parser hermes"

# a request that says "X-Busy: once" is refused, and served when its client asks again (clients count the tries in a header)

BUSY = 'map "$http_x_busy:$http_x_stainless_retry_count" $busy { once:0 1; }'
REFUSE = "vllm_mock_fault error status=429 when=$busy;"


def check(f):
    CHECKS.append(f)
    return f


def serving(args="", more="", **others):
    return mock.Mock(server="vllm_mock_args m --served-model-name %s %s; %s" % (MODEL, args, more), **others)


def run():
    failed = 0
    for f in CHECKS:
        name = f.__module__ + "." + f.__name__
        try:
            f()
            print("ok " + name)
        except Exception:
            failed += 1
            print("not ok " + name)
            traceback.print_exc(file=sys.stdout)
    print("%d passed, %d failed" % (len(CHECKS) - failed, failed))
    return failed > 0
