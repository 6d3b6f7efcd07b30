"""Longspan from a notebook, by way of Livy.

Needs nothing but Python's own library, and matplotlib to draw.
"""

import json
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

ENDED = {"success", "dead", "error", "killed"}
MAIN_CLASS = "org.longspan.jobs.Longspan"


class LivyError(Exception):
    """What went wrong, in one sentence."""


class Livy:
    """A Livy server that can read the application jar.

    jar: where Livy finds it, such as hdfs:///longspan-application.jar
    authorization: the Authorization header that the server wants, if it wants one
    """

    def __init__(self, url, jar, authorization=None):
        self.url = url.rstrip("/")
        self.jar = jar
        self.authorization = authorization

    def call(self, method, path, body=None):
        """Asks and returns what the JSON of the answer holds; None where there is no such thing."""
        headers = {"Content-Type": "application/json", "X-Requested-By": "longspan"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        request = urllib.request.Request(
            self.url + path,
            method=method,
            headers=headers,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            if refusal.code == 404:
                return None
            said = refusal.read().decode(errors="replace").strip().splitlines()
            raise LivyError(f"Livy at {self.url} refuses ({refusal.code}: {' '.join(said[:1])})") from None
        except (OSError, ValueError) as failure:
            raise LivyError(f"Livy at {self.url} does not answer: {failure}") from None

    def start(self, arguments, settings=None):
        """Runs a command of Longspan's as a batch.

        settings: Spark's, such as {"spark.executor.memory": "4g"}
        """
        name = f"longspan-{arguments[0]}-{uuid.uuid4().hex[:8]}"
        batch = self.call(
            "POST",
            "/batches",
            {
                "file": self.jar,
                "className": MAIN_CLASS,
                "name": name,
                "args": arguments,
                "conf": settings or {},
            },
        )
        if batch is None:
            raise LivyError(f"{self.url} knows no batches; is it Livy's address?")
        return Batch(self, batch["id"], name)

    def train(self, configuration, data, output, settings=None):
        """Trains a model.

        configuration: key to value, nested or dotted, as docs/configuration.md lists them
        output: the run's folder, which the cluster and this notebook see under one path
        """
        folder = Path(output).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "run.yaml"
        file.write_text(json.dumps(configuration, indent=2))
        arguments = ["train", "--config", file.as_uri(), "--data", str(data), "--output", str(folder)]
        return Run(self.start(arguments, settings), folder)

    def generate(self, checkpoint, prompt, tokens=200, temperature=0.8, seed=1):
        """What a trained model writes after the prompt, the prompt included."""
        batch = self.start(
            [
                "generate",
                *["--checkpoint", str(checkpoint)],
                *["--prompt", prompt],
                *["--tokens", str(tokens)],
                *["--temperature", str(temperature)],
                *["--seed", str(seed)],
            ]
        )
        while batch.state() not in ENDED:
            time.sleep(0.5)
        batch.require_success()
        written = "\n".join(batch.log()[0])
        # Libraries write a few lines before.
        return written[max(0, written.find(prompt)) :]


class Batch:
    """A batch of Livy's, under a name that is its own."""

    def __init__(self, livy, number, name):
        self.livy = livy
        self.number = number
        self.name = name

    def state(self):
        """Livy's word for it, such as running, success or dead."""
        batch = self.livy.call("GET", f"/batches/{self.number}")
        if batch is None or batch.get("name") != self.name:
            raise LivyError(f"Livy no longer knows batch {self.number} ({self.name})")
        return batch["state"]

    def log(self):
        """The newest lines that the driver wrote, on standard output and on standard error."""
        answer = self.livy.call("GET", f"/batches/{self.number}/log?from=0&size=100000") or {}
        output, errors = [], []
        section = errors
        for line in answer.get("log", []):
            if line.strip() == "stdout:":
                section = output
            elif line.strip() == "stderr:":
                section = errors
            else:
                section.append(line)
        return output, errors

    def cancel(self):
        """Ends it, wherever it is."""
        self.livy.call("DELETE", f"/batches/{self.number}")

    def require_success(self):
        """Says the driver's own last sentence where the batch did not succeed."""
        state = self.state()
        if state != "success":
            output, errors = self.log()
            # Livy 0.7.1 keeps a driver's errors among its output.
            said = [line for line in output + errors if line.startswith("longspan ")]
            raise LivyError(said[-1] if said else f"Batch {self.number} ended as {state}, without a word")


class Run:
    """A training run: a batch, and the folder that it writes to."""

    def __init__(self, batch, folder):
        self.batch = batch
        self.folder = folder

    def steps(self):
        """The steps that are done: objects with step, loss, tokens_per_second and more."""
        try:
            lines = (self.folder / "run.jsonl").read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        # Attempts that failed stand between the steps, as objects of another kind.
        objects = [json.loads(line) for line in lines if line.endswith("\n")]
        return [step for step in objects if "step" in step]

    def watch(self, every=1.0):
        """Draws loss and tokens/s until the run has ended; interrupting the cell cancels it."""
        from IPython.display import display

        figure = self.draw()
        picture = display(figure, display_id=True)
        shown = 0
        try:
            while True:
                ended = self.batch.state() in ENDED
                steps = self.steps()
                if len(steps) != shown:
                    figure = self.draw(figure)
                    picture.update(figure)
                    shown = len(steps)
                if ended:
                    break
                time.sleep(every)
        except KeyboardInterrupt:
            self.batch.cancel()
            raise
        finally:
            from matplotlib import pyplot

            pyplot.close(figure)
        self.batch.require_success()

    def draw(self, figure=None):
        """A figure of the loss and of the speed, step by step."""
        from matplotlib import pyplot
        from matplotlib.ticker import MaxNLocator

        if figure is None:
            figure, _ = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
        steps = self.steps()
        numbers = [step["step"] for step in steps]
        loss, speed = figure.axes
        for axes in (loss, speed):
            axes.clear()
            axes.grid(alpha=0.3)
            axes.set_xlabel("step")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        loss.plot(numbers, [step["loss"] for step in steps], label="training")
        validated = [step for step in steps if "validation_loss" in step]
        if validated:
            loss.plot(
                [step["step"] for step in validated],
                [step["validation_loss"] for step in validated],
                "o",
                label="validation",
            )
            loss.legend()
        loss.set_title("loss (nats a token)")
        speed.plot(numbers, [step["tokens_per_second"] for step in steps], color="tab:green")
        speed.set_title("tokens/s")
        speed.set_ylim(bottom=0)
        return figure
