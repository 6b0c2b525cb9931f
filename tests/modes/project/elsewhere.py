"""A caller that has none of the code: reads requests as lines of JSON, runs cases, answers with lines of JSON."""

import json
import sys
import traceback

import running
from cases import CASES

from operator_lib import Operator

handles = {}


def handle(request):
    key = request.get("url") or request["job"]
    if key not in handles:
        if "url" in request:
            handles[key] = Operator.from_serving(request["url"], request["token"])
        else:
            handles[key] = Operator.from_job(request["job"], address=request["address"], token=request["token"])
    return handles[key]


answers = sys.stdout
sys.stdout = sys.stderr
for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"seen": running.observe(CASES[request["case"]], handle(request))}
    except BaseException:
        answer = {"failed": traceback.format_exc()}
    assert "subjects" not in sys.modules
    print(json.dumps(answer), file=answers, flush=True)
