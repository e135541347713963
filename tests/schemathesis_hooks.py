"""What schemathesis cannot send by itself: rules are text, time-stamps are bytes."""

import schemathesis


@schemathesis.serializer("application/toml", "application/timestamp-reply")
def as_it_is(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
