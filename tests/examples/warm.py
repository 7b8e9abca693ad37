"""What a process of the project works out once, worked out: to be imported before it is forked."""

from examples.runs import STAGES
from tasks.cache.sources import digests_of_stage
from tasks.report.pages import pages
from tasks.report.texts import texts
from tasks.runs.provenance import provenance

provenance()
for stage in STAGES:
    digests_of_stage(f"tasks.{stage}")
for template in pages.list_templates(extensions=["jinja"]):
    (texts if template.endswith(".md.jinja") else pages).get_template(template)
