"""Citizens who book an appointment with a public office, or cancel one, over `booking/v1` or `forms/v1`.

A plain Locust file: `locust -f scenarios/appointment/journeys.py --host http://127.0.0.1:8000` runs it
against a system of either interface. Wishes, audit and the two interfaces are in the modules beside it.
"""

from over_booking import BookingCitizen
from over_forms import FormsCitizen

__all__ = ["BookingCitizen", "FormsCitizen"]
