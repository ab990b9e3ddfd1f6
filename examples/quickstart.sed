# What differs from one run of quickstart.sh to the next: times, and the ids of requests.
s/"([a-z]+_at|as_of)":"[0-9T:.-]+Z"/"\1":"2026-03-18T05:30:00Z"/g
s/"request_id":"[^"]*"/"request_id":"..."/g
