"""What can be turned in the sample of purchases: who is where, and how dirty records are. All shares are of 1.

Every number that is changed changes the bytes that are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class PeoplePolicy(Policy):
    """Who the generated people are, and which systems know them."""

    chinese: Annotated[float, "of people have a Chinese name, city and phone"] = 0.40
    two_characters: Annotated[float, "of Chinese given names have two characters"] = 0.65
    relative: Annotated[float, "of people make a household with the person before: two people, one phone"] = (
        0.001
    )
    in_hubspot: Annotated[float, "of people are in HubSpot"] = 0.75
    in_salesforce: Annotated[float, "of people are in Salesforce"] = 0.35
    salesforce_overlap: Annotated[float, "of Salesforce's people are in HubSpot too"] = 0.70
    identified: Annotated[float, "of people identify themselves to the site with their first order"] = 0.50


@dataclass(frozen=True)
class HubspotPolicy(Policy):
    """HubSpot's contacts, and what is wrong with them."""

    email_missing: Annotated[float, "of e-mails are missing"] = 0.03
    email_malformed: Annotated[float, "of e-mails are malformed"] = 0.01
    email_upper_case: Annotated[float, "of e-mails are in upper case"] = 0.05
    email_padded: Annotated[float, "of e-mails have spaces around"] = 0.02
    phone_missing: Annotated[float, "of phones are missing"] = 0.05
    phone_malformed: Annotated[float, "of phones are malformed"] = 0.015
    phone_full_width: Annotated[float, "of Chinese phones are typed in full-width digits"] = 0.01
    shop_id: Annotated[float, "of contacts carry the shop's customer id"] = 0.60
    twice: Annotated[float, "of contacts that have an e-mail or a phone are there twice"] = 0.02
    consents: Annotated[float, "of contacts agree to marketing"] = 0.62
    refuses: Annotated[float, "of contacts refuse marketing; the others do not say"] = 0.23
    no_country: Annotated[float, "of contacts whose phone has a prefix have no country"] = 0.10


@dataclass(frozen=True)
class SalesforcePolicy(Policy):
    """Salesforce's contacts and opportunities."""

    by_email: Annotated[float, "of contacts share the e-mail with HubSpot; the others a phone"] = 0.60
    no_mobile: Annotated[float, "of contacts by e-mail have no mobile phone"] = 0.50
    second_phone: Annotated[float, "of contacts by phone have it in both columns"] = 0.20
    loyalty: Annotated[float, "of contacts carry the shop's customer id"] = 0.30
    pinyin: Annotated[float, "of Chinese names are written in pinyin"] = 0.50
    opted_out: Annotated[float, "of contacts whose consent HubSpot does not know have opted out"] = 0.12
    opted_out_after_yes: Annotated[float, "of contacts who agreed in HubSpot have opted out later"] = 0.05
    opted_out_after_no: Annotated[float, "of contacts who refused in HubSpot have opted out"] = 0.70
    contacts_a_deal: Annotated[int, "contacts for each opportunity"] = 20


@dataclass(frozen=True)
class WebPolicy(Policy):
    """The clickstream around each purchase."""

    second_device: Annotated[float, "of people have two devices"] = 0.30
    on_second_device: Annotated[float, "of the visits of people who have two are on the second"] = 0.25
    one_view: Annotated[float, "of visits have one view before the order"] = 0.60
    two_views_at_most: Annotated[float, "of visits have one or two; the others three"] = 0.90
    page_view: Annotated[float, "of views are pages without a product"] = 0.40
    signed_in_before: Annotated[float, "of visits after the first order are signed in from the beginning"] = (
        0.60
    )
    phone_trait: Annotated[float, "of people who identify themselves give their phone"] = 0.60
    resent: Annotated[float, "of messages are sent twice"] = 0.01
    resent_within_days: Annotated[int, "days within which a message is sent again"] = 6
