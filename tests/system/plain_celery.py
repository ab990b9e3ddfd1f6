"""Another service: it has Celery and a URL, and none of this project's code. Requests come and go as lines of JSON."""

import json
import sys

from celery import Celery

url = sys.argv[1]
app = Celery(broker=url, backend=url)
for line in sys.stdin:
    wanted = json.loads(line)
    timeout_s = wanted.pop("timeout_s")
    sent = app.send_task(wanted.pop("name"), **wanted)
    try:
        told = {"result": sent.get(timeout=timeout_s)} if timeout_s else {"result": None}
    except Exception as error:
        told = {"exception": f"{type(error).__name__}: {error}"}
    ours = {"wire", "ledger_core", "intake", "workers", "ledgerctl"} & set(sys.modules)
    print(json.dumps({**told, "task_id": sent.id, "ours": sorted(ours)}), flush=True)
