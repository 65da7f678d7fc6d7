"""A job whose pictures go to a bucket, on a real server of S3 that fails.

Run by tests/storage/run.py, which starts the server and a proxy before it.
"""
import hashlib
import json
import os
import re
import unittest
import urllib.parse
import urllib.request

import service

SERVER = os.environ["TESSERA_TEST_S3"]
PROXY = os.environ["AWS_ENDPOINT_URL"]
BUCKET = "tessera"
LORAS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "..", "golden", "loras")


def fail(*faults):
    """Tells the proxy what is to fail; returns how many requests have."""
    request = urllib.request.Request(
        f"{PROXY}/faults", data=json.dumps(faults).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return int(answer.read())


def keys(prefix):
    """The keys below a prefix, asked of the server itself."""
    query = urllib.parse.urlencode({"list-type": 2, "prefix": prefix})
    return re.findall("<Key>(.*?)</Key>", ask(f"?{query}").decode())


def ask(path, method="GET", data=None):
    """Asks the server itself, which wants to see some credentials."""
    request = urllib.request.Request(f"{SERVER}/{BUCKET}{path}", method=method,
                                     data=data, headers={
        "Content-Type": "application/octet-stream",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"
                         "s3/aws4_request, SignedHeaders=host, Signature=0"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def put(key, data):
    ask(f"/{key}", "PUT", data)


def get(key):
    return ask(f"/{key}")


class BucketTest(service.ServiceTest):

    def setUp(self):
        super().setUp()
        fail()
        self.prefix = os.path.basename(self.folder)
        self.uri = f"s3://{BUCKET}/{self.prefix}"

    def run_local(self, prompts, uri, *flags):
        return self.tessera("local", prompts, "--model", service.MODEL,
                            "--out", uri, "--workers", "1", *flags)

    def check_bucket(self, lines):
        rows = [json.loads(line) for line in
                get(f"{self.prefix}/manifest.jsonl").decode().splitlines()]
        self.assertEqual([r["custom_id"] for r in rows],
                         [line["custom_id"] for line in lines])
        for row in rows:
            data = get(f"{self.prefix}/{row['path']}")
            self.assertEqual(hashlib.sha256(data).hexdigest(), row["sha256"])
        wanted = {row["path"] for row in rows} | {
            "manifest.jsonl", "errors.jsonl", "job.json"}
        self.assertEqual({key[len(self.prefix) + 1:]
                          for key in keys(self.prefix + "/")}, wanted)
        return {row["custom_id"]: row["sha256"] for row in rows}

    def test_bucket_holds_what_a_folder_would(self):
        lines = service.prompt_lines(3, steps=2)
        prompts = self.write_prompts(lines)

        code, said = self.run_local(prompts, self.uri)
        self.assertEqual(code, 0, said)
        found = self.check_bucket(lines)

        code, said = self.local("folder", prompts, "--workers", "1")
        self.assertEqual(code, 0, said)
        self.assertEqual(found, {row["custom_id"]: row["sha256"] for row in
                                 service.manifest(self.path("folder"))})

        # A finished job is not written over.
        code, said = self.run_local(prompts, self.uri)
        self.assertEqual(code, 2, said)
        self.assertIn("already holds the manifest", said)
        self.assertIn(self.uri, said)

    def test_no_picture_is_lost_while_the_server_fails(self):
        lines = service.prompt_lines(3, steps=2)
        faults = [{"match": f"{self.prefix}/images", "what": what,
                   "method": "PUT", "times": 2}
                  for what in ("503", "drop", "lost", "500", "half")]
        faults.append({"match": "manifest.jsonl", "method": "PUT",
                       "what": "lost"})
        before = fail(*faults)

        code, said = self.run_local(self.write_prompts(lines), self.uri)

        self.assertEqual(code, 0, said)
        self.check_bucket(lines)
        self.assertGreaterEqual(fail() - before, 11)

    def test_whole_service_in_a_bucket(self):
        """Prompts, LoRA files and pictures; results come and are verified."""
        lines = service.prompt_lines(3, steps=2)
        with open(self.write_prompts(lines), "rb") as file:
            put(f"{self.prefix}/prompts.jsonl", file.read())
        blobs = f"{self.prefix}/loras"
        self.start_coordinator("--blobs", f"s3://{BUCKET}/{blobs}")
        self.start_worker("worker")
        lora = next(os.path.join(LORAS, name)
                    for name in sorted(os.listdir(LORAS))
                    if name.endswith(".safetensors"))
        with open(lora, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()

        code, said = self.tessera("--coordinator", self.address, "lora",
                                  "push", "ink", lora)
        self.assertEqual(code, 0, said)
        self.assertEqual(keys(blobs), [f"{blobs}/{digest}"])
        code, said = self.tessera(
            "--coordinator", self.address, "submit",
            f"s3://{BUCKET}/{self.prefix}/prompts.jsonl", "--model",
            os.path.basename(service.MODEL), "--out", self.uri + "/out",
            "--lora", "ink:0.5", "--allow-unmatched", "--watch")
        self.assertEqual(code, 0, said)

        job = self.jobs()[0]["job_id"]
        bring = ("--coordinator", self.address, "results", job, "--to",
                 self.path("here"))
        fail({"method": "GET", "match": "/out/images/", "what": "half",
              "times": 2})
        code, said = self.tessera(*bring)
        self.assertEqual(code, 0, said)
        self.assertIn("3 pictures brought, 0 were there already", said)
        self.assertEqual(service.check_output(self.path("here"), lines), 3)
        row = service.manifest(self.path("here"))[0]
        with open(self.path("here/" + row["path"]), "wb") as file:
            file.write(b"half")
        code, said = self.tessera("verify", self.path("here"))
        self.assertEqual(code, 1, said)
        self.assertIn(row["path"], said)
        code, said = self.tessera(*bring)
        self.assertIn("1 pictures brought, 2 were there already", said)
        self.assertEqual(service.check_output(self.path("here"), lines), 3)

        for out in (self.path("here"), self.uri + "/out"):
            code, said = self.tessera("verify", out)
            self.assertEqual(code, 0, said)
            self.assertIn("3 of 3 pictures are intact", said)
        put(f"{self.prefix}/out/{row['path']}", b"rotten")
        code, said = self.tessera("verify", self.uri + "/out")
        self.assertEqual(code, 1, said)
        self.assertIn(f"{self.uri}/out/{row['path']}", said)

    def test_prompts_that_are_not_in_the_bucket_are_named(self):
        code, said = self.run_local(self.uri + "/none.jsonl", self.uri)

        self.assertEqual(code, 2, said)
        self.assertIn(f"{self.uri}/none.jsonl", said)
        self.assertIn("NoSuchKey", said)

    def test_bucket_that_is_not_there_is_refused_at_once(self):
        prompts = self.write_prompts(service.prompt_lines(1, steps=1))

        code, said = self.run_local(prompts, "s3://no-such-bucket-here/out")

        self.assertEqual(code, 2, said)
        self.assertIn("s3://no-such-bucket-here/", said)
        self.assertIn("NoSuchBucket", said)

    def test_missing_credentials_are_said_with_where_they_were_looked_for(self):
        prompts = self.write_prompts(service.prompt_lines(1, steps=1))
        for name, value in (("AWS_ACCESS_KEY_ID", None),
                            ("AWS_SECRET_ACCESS_KEY", None),
                            ("HOME", self.folder)):
            before = os.environ.get(name)
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
            if before is not None:
                self.addCleanup(os.environ.__setitem__, name, before)

        code, said = self.run_local(prompts, self.uri)

        self.assertEqual(code, 2, said)
        self.assertIn("AWS_ACCESS_KEY_ID", said)
        self.assertEqual(keys(self.prefix), [])

    def test_names_that_are_no_buckets_are_refused(self):
        prompts = self.write_prompts(service.prompt_lines(1, steps=1))

        code, said = self.run_local(prompts, "s3://Not_A_Bucket/out")

        self.assertEqual(code, 2, said)
        self.assertIn("not the name of a bucket", said)


if __name__ == "__main__":
    unittest.main()
