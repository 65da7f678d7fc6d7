"""Writes the Grafana dashboards of helm/tessera/dashboards/.

With --check nothing is written, and the exit code is 1 where a file is stale.
Only the standard library is needed.
"""
import json
import pathlib
import sys

from dashboard_parts import (COORDINATOR, WORKER, conditions, dashboard, graph,
                             heatmap, row, stat)

FOLDER = pathlib.Path(__file__).resolve().parent / "tessera/dashboards"


def of(metric, labels=""):
    """The series of a metric that the viewer chose."""
    more = f",{labels}" if labels else ""
    return f'tessera_{metric}{{job=~"$job",instance=~"$instance"{more}}}'


def rate(metric, labels=""):
    return f"rate({of(metric, labels)}[$__rate_interval])"


def quantile(share, metric, by=""):
    """A quantile of a histogram, over all its series or by labels."""
    keep = f"le, {by}" if by else "le"
    return (f"histogram_quantile({share}, sum by ({keep}) "
            f"({rate(metric + '_bucket')}))")


def share(part, whole):
    """A ratio that is 0, and not a division by 0, where nothing happens."""
    return f"({part}) / ({whole} > 0) or 0 * ({whole})"


DONE = rate("coordinator_images_total", 'result="done"')
FAILED = rate("coordinator_images_total", 'result="failed"')
ALL = rate("coordinator_images_total")
SEALING = of("coordinator_jobs", 'state="sealing"')
EMPTIES = (f"sum({of('coordinator_waiting_images')}) / "
           f"(sum({ALL}) > 0) or 0 * sum({of('coordinator_waiting_images')})")


def why_nothing_runs():
    waiting = f"sum({of('coordinator_waiting_shards')})"
    workers = f"sum({of('coordinator_workers')})"
    leases = f"sum({of('coordinator_leases')})"
    lost = rate("coordinator_leases_lost_total")
    return conditions(
        "Why is nothing running",
        "Each line is a reason that holds now. Shards that wait while workers "
        "are idle need a model, or a device, that the idle workers do not "
        "have. Lines of a coordinator that is not scraped are missing.",
        (f"absent({of('coordinator_workers')}) or vector(0)",
         "the coordinator is not scraped"),
        (f"{waiting} + {leases} == bool 0", "there is no work"),
        (f"{workers} == bool 0", "there is no worker"),
        (f"({waiting} > bool 0) * ({leases} < bool {workers})",
         "workers are idle while shards wait"),
        (f"sum({lost}) > bool 0", "workers lose their leases"),
        (f"({leases} > bool 0) * (sum({ALL}) == bool 0)",
         "leased shards stand still"),
        (f"(sum({FAILED}) > bool 0) * (sum({DONE}) == bool 0)",
         "all pictures fail"),
        (f"sum({SEALING}) > bool 0", "jobs wait for their manifest"))


def overview():
    return dashboard(
        "tessera-overview", "Tessera / Overview",
        "Is work done, how fast, and if not, why.",
        f"{COORDINATOR}|{WORKER}", [
            row("Now"),
            stat("Pictures a second", "Pictures that are done, per second.",
                 "short", f"sum({DONE})"),
            stat("Failing", "Share of the pictures that end by failing.",
                 "percentunit", share(f"sum({FAILED})", f"sum({ALL})"), 0.01),
            stat("Waiting", "Pictures of accepted jobs that have not ended.",
                 "short", f"sum({of('coordinator_waiting_images')})"),
            stat("Done in", "Time until the queue is empty at the present "
                 "rate; 0 where nothing ends.", "s", EMPTIES),
            stat("Workers", "Workers that synchronize in time.", "short",
                 f"sum({of('coordinator_workers')})"),
            stat("Busy", "Share of the workers that hold a lease.",
                 "percentunit",
                 share(f"sum({of('coordinator_leases')})",
                       f"sum({of('coordinator_workers')})")),
            row("Why is nothing running"),
            why_nothing_runs(),
            row("Over time"),
            graph("Pictures", "Pictures that ended, per second, by result.",
                  "short",
                  (f"sum by (result) ({ALL})", "{{result}}"), stack=True),
            graph("Queue", "Pictures that have not ended.", "short",
                  (f"sum({of('coordinator_waiting_images')})", "waiting")),
            graph("Workers and leases", "A lease is a shard that a worker "
                  "executes. Workers above leases are idle.", "short",
                  (f"sum({of('coordinator_workers')})", "workers"),
                  (f"sum({of('coordinator_leases')})", "leases")),
            graph("Jobs", "Jobs that have not ended, by state. Sealing: the "
                  "manifest is being written.", "short",
                  (f"sum by (state) ({of('coordinator_jobs')})", "{{state}}"),
                  stack=True),
        ])


def workers():
    stages = rate("worker_stage_seconds_total")
    pictures = rate("worker_images_total")
    calls = rate("worker_unet_calls_total")
    by = "sum by (instance)"
    return dashboard(
        "tessera-workers", "Tessera / Workers and engine",
        "What each worker does with its time.", WORKER, [
            row("Pictures"),
            graph("Pictures by worker", "Pictures that ended, per second.",
                  "short", (f"{by} ({pictures})", "{{instance}}"),
                  stack=True),
            graph("Pictures by result", "How they ended: done, or the code "
                  "of the failure.", "short",
                  (f"sum by (result) ({pictures})", "{{result}}"),
                  stack=True),
            row("Engine"),
            graph("Seconds a picture by stage", "Time of each stage over the "
                  "pictures that ended.", "s",
                  (f"sum by (stage) ({stages}) / ignoring (stage) "
                   f"group_left () (sum({pictures}) > 0)", "{{stage}}"),
                  stack=True),
            graph("Time in stages", "Share of the time that each worker "
                  "makes pictures, all stages together. Far below 1 means "
                  "waiting: for shards, models or LoRAs.", "percentunit",
                  (f"{by} ({stages})", "{{instance}}")),
            graph("Calls of the UNet", "Calls per second, each for a whole "
                  "batch.", "short", (f"{by} ({calls})", "{{instance}}")),
            graph("Pictures a call", "Mean size of a batch. Small batches "
                  "leave a device idle: shards are small or their pictures "
                  "unlike.", "short",
                  (f"{by} ({rate('worker_batch_images_sum')}) / "
                   f"({by} ({rate('worker_batch_images_count')}) > 0)",
                   "{{instance}}")),
            heatmap("Batches", "Calls of the UNet by the pictures in them.",
                    "short",
                    f"sum by (le) ({rate('worker_batch_images_bucket')})"),
            graph("Loading of models", "Seconds that each worker has spent "
                  "loading models since it started.", "s",
                  (f"{by} ({of('worker_model_load_seconds_sum')})",
                   "{{instance}}")),
            row("Coordinator, seen from the workers"),
            graph("Commits", "Commits of results per second, by status code. "
                  "ABORTED: the lease was over.", "short",
                  (f"sum by (result) ({rate('worker_commits_total')})",
                   "{{result}}")),
            graph("Unanswered calls", "Calls of Synchronize per second that "
                  "were not answered.", "short",
                  (f"{by} ({rate('worker_synchronize_failures_total')})",
                   "{{instance}}")),
        ])


def queue():
    calls = "coordinator_call_seconds"
    return dashboard(
        "tessera-queue", "Tessera / Queue and leases",
        "How shards reach workers, and which come back.", COORDINATOR, [
            row("Queue"),
            graph("Shards", "Shards that could be leased now, and those that "
                  "are.", "short",
                  (f"sum({of('coordinator_waiting_shards')})", "waiting"),
                  (f"sum({of('coordinator_leases')})", "leased"), stack=True),
            graph("Pictures that wait", "Pictures of accepted jobs that have "
                  "not ended.", "short",
                  (f"sum({of('coordinator_waiting_images')})", "waiting")),
            graph("Time until empty", "Pictures that wait over the present "
                  "rate; 0 where nothing ends.", "s", (EMPTIES, "time")),
            graph("Jobs", "Jobs that have not ended, by state.", "short",
                  (f"sum by (state) ({of('coordinator_jobs')})", "{{state}}"),
                  stack=True),
            row("Leases"),
            graph("Grants and losses", "Leases given, and leases whose worker "
                  "did not synchronize in time, per second.", "short",
                  (f"sum({rate('coordinator_assignments_total')})", "given"),
                  (f"sum({rate('coordinator_leases_lost_total')})", "lost")),
            graph("Commits", "Commits of results per second. Stale ones came "
                  "after the lease and changed nothing.", "short",
                  (f"sum({rate('coordinator_commits_total')})", "accepted"),
                  (f"sum({rate('coordinator_stale_commits_total')})",
                   "stale")),
            graph("Workers", "Workers that synchronize in time.", "short",
                  (f"sum by (instance) ({of('coordinator_workers')})",
                   "{{instance}}")),
            graph("Digest conflicts", "Pictures made again with other bytes, "
                  "since the start. Anything but 0 deserves a look.", "short",
                  (f"sum({of('coordinator_digest_conflicts_total')})",
                   "conflicts")),
            row("Calls"),
            graph("Calls by method", "Remote calls per second.", "short",
                  (f"sum by (method) ({rate(calls + '_count')})",
                   "{{method}}"), stack=True),
            graph("Slow calls", "Time that 99 of 100 calls stay below. Idle "
                  "workers' calls of Synchronize are held on purpose.", "s",
                  (quantile(0.99, calls, "method"), "{{method}}")),
        ])


def lora():
    hits, misses = rate("worker_lora_hits_total"), rate(
        "worker_lora_misses_total")
    load = "worker_lora_load_seconds"
    return dashboard(
        "tessera-lora", "Tessera / LoRA cache",
        "Tiers: disk is the node's folder, memory what a worker keeps parsed.",
        f"{COORDINATOR}|{WORKER}", [
            row("Cache"),
            graph("Hits", "Share of the LoRAs that were asked for and there, "
                  "by tier; 0 where none was asked for.", "percentunit",
                  (share(f"sum by (tier) ({hits})",
                         f"sum by (tier) ({hits} + {misses})"), "{{tier}}")),
            graph("Requests", "LoRAs asked for per second, by tier.", "short",
                  (f"sum by (tier) ({hits})", "{{tier}}: there"),
                  (f"sum by (tier) ({misses})", "{{tier}}: not there")),
            graph("Kept on disk", "Bytes in the folder of each node, as its "
                  "workers see it.", "bytes",
                  ("max by (instance) ("
                   + of("worker_lora_bytes", 'tier="disk"') + ")",
                   "{{instance}}")),
            graph("Kept in memory", "Bytes that each worker keeps parsed.",
                  "bytes",
                  ("sum by (instance) ("
                   + of("worker_lora_bytes", 'tier="memory"') + ")",
                   "{{instance}}")),
            graph("Evictions", "LoRAs dropped per second to make room. Many "
                  "with many misses: the cache is too small.", "short",
                  (f"sum by (tier) ({rate('worker_lora_evictions_total')})",
                   "{{tier}}")),
            graph("Time to load", "Time to fetch (disk) or parse (memory): "
                  "half, and 95 of 100, stay below.", "s",
                  (quantile(0.5, load, "tier"), "{{tier}}: half"),
                  (quantile(0.95, load, "tier"), "{{tier}}: 95 %")),
            row("Registry"),
            graph("LoRAs", "Names in the registry.", "short",
                  (f"sum({of('coordinator_loras')})", "names")),
            graph("Size", "Bytes of the files in the registry.", "bytes",
                  (f"sum({of('coordinator_lora_bytes')})", "bytes")),
            graph("Pushes", "Uploads that ended per second, by result.",
                  "short",
                  (f"sum by (result) ({rate('coordinator_lora_pushes_total')})",
                   "{{result}}"), width=24),
        ])


def storage():
    store = "coordinator_store_transaction_seconds"
    calls = "coordinator_call_seconds_count"
    writes = rate("worker_stage_seconds_total", 'stage="image_write"')
    return dashboard(
        "tessera-storage", "Tessera / Storage and errors",
        "The job store, the output, and whatever went wrong.",
        f"{COORDINATOR}|{WORKER}", [
            row("Storage"),
            graph("Transactions", "Transactions of the job store per second.",
                  "short", (f"sum({rate(store + '_count')})",
                            "transactions")),
            graph("Time of a transaction", "Half, and 99 of 100, stay below.",
                  "s", (quantile(0.5, store), "half"),
                  (quantile(0.99, store), "99 %")),
            heatmap("Transactions by time", "How the times are spread.", "s",
                    f"sum by (le) ({rate(store + '_bucket')})"),
            graph("Time to write a picture", "Seconds that a picture takes "
                  "to the output folder.", "s",
                  (f"sum({writes}) / (sum({rate('worker_images_total')}) > 0)"
                   f" or 0 * sum({writes})", "write")),
            graph("Manifests", "Jobs whose manifest is being written. One "
                  "that stays: the output folder is full or gone.", "short",
                  (f"sum({SEALING})", "sealing"), width=24),
            row("Errors"),
            graph("Calls that failed", "Remote calls per second that did not "
                  "end with OK, by method and code.", "short",
                  ("sum by (method, code) ("
                   + rate(calls, 'code!="OK"') + ")",
                   "{{method}} {{code}}")),
            graph("Refused for want of room", "Calls per second that end with "
                  "RESOURCE_EXHAUSTED: a full disk, or too many calls.",
                  "short",
                  ("sum(" + rate(calls, 'code="RESOURCE_EXHAUSTED"')
                   + ") or vector(0)", "refused")),
            graph("Pictures that failed", "Pictures per second, by code.",
                  "short",
                  ("sum by (result) ("
                   + rate("worker_images_total", 'result!="done"') + ")",
                   "{{result}}")),
            graph("Commits that failed", "Commits per second that did not "
                  "end with OK.", "short",
                  ("sum by (result) ("
                   + rate("worker_commits_total", 'result!="OK"')
                   + ") or vector(0)", "{{result}}")),
            graph("Lost leases", "Since the start of the coordinator.",
                  "short",
                  (f"sum({of('coordinator_leases_lost_total')})", "lost")),
            graph("Digest conflicts", "Pictures made again with other bytes, "
                  "since the start.", "short",
                  (f"sum({of('coordinator_digest_conflicts_total')})",
                   "conflicts")),
        ])


def main():
    stale = []
    for name, made in (("overview", overview()), ("workers", workers()),
                       ("queue", queue()), ("lora", lora()),
                       ("storage", storage())):
        path = FOLDER / f"{name}.json"
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"stale: {', '.join(stale)}: run "
                 "python3 helm/make_dashboards.py")


if __name__ == "__main__":
    main()
