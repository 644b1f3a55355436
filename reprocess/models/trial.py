"""Trials: runs over a sample, which end with a report instead of a cutover."""

from django.db import models

from reprocess.models.run import ReprocessRun


class Trial(models.Model):
    """What makes a run a trial: the sample that it computes in spaces that no search reads, and the report on what it has measured."""

    run = models.OneToOneField(ReprocessRun, on_delete=models.CASCADE, related_name="trial", primary_key=True)
    size = models.PositiveIntegerField(help_text="The most scenes of one owner that are sampled.")
    samples = models.JSONField(help_text="For each owner: the stale scenes, those that judgments name, and how many of each were sampled.")
    left_out = models.JSONField(default=list, help_text="What the trial does not cover, and why.")
    judged = models.JSONField(default=list, help_text="The judged queries of a file. Without them, the owner's own judgments are taken.")
    report = models.JSONField(null=True, help_text="What the full run would gain, cost and take. Empty until the trial has ended.")

    class Meta:
        ordering = ("run",)

    def __str__(self) -> str:
        return f"trial of {self.size} scenes"
