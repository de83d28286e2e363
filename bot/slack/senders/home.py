"""Drawing a person's Home tab."""

from __future__ import annotations

import logging

from bot.domain.outcomes import Refused
from bot.slack import home_tab
from bot.slack.post import Post
from bot.store.errand import Errand
from bot.usecases.home import home

log = logging.getLogger(__name__)


def draw_home(post: Post, errand: Errand) -> None:
    """Publish the tab as things are now. Harmless when repeated; the next opening draws what is refused here."""
    person = str(errand.work.args["person_id"])

    def publish() -> dict[str, str]:
        try:
            post.slack.call("views.publish", user_id=person, view=home_tab.view(home(post.desk, person)))
        except Refused as refused:
            # Nobody waits for it, and it says nothing that is not said elsewhere.
            log.warning("the Home tab of %s was not drawn: %s", person, refused.sentence)
        return {}

    errand.step("publish", publish, method="views.publish")


SENDERS = {"HomeDue": draw_home}
