"""What Help » How billing works says about invoices, topic by topic, each with its pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal.core.permissions import Permission


@dataclass(frozen=True, slots=True)
class Page:
    """One that a topic leads to: its label is that of the menu."""

    label: str
    url_name: str
    needs: Permission


@dataclass(frozen=True, slots=True)
class Topic:
    title: str
    text: str
    pages: tuple[Page, ...] = ()


def sellers_topics() -> list[Topic]:
    """For those who invoice customers, in the order in which they meet them."""
    invoices = Page(_("Invoices"), "billing:invoice-list", Permission.COMMERCE)
    receivables = Page(_("Receivables"), "billing:receivables", Permission.COMMERCE)
    return [
        Topic(
            _("Setting up"),
            _(
                "Enter your VAT ID and bank account under Invoicing: the sign on top says"
                " whether electronic invoices can be written. Add your VAT under Taxes,"
                " and choose for each customer what it is liable for. Number series says"
                " what your numbers look like and where they go on."
            ),
            (
                Page(_("Invoicing"), "billing:seller", Permission.SETTINGS),
                Page(_("Taxes"), "billing:tax-list", Permission.COMMERCE),
                Page(_("Number series"), "billing:number-series", Permission.SETTINGS),
            ),
        ),
        Topic(
            _("The billing run"),
            _(
                "Every hour, accounts are charged for what has become due. Customers whose"
                " period has ended, or who topped up, then get an invoice, as their"
                " billing type says; its files are made and e-mailed by themselves. What"
                " could not be charged or invoiced is listed and can be tried again. To"
                " invoice at once, press “Invoice now” on a customer's page."
            ),
            (Page(_("Billing runs"), "billing:run-list", Permission.COMMERCE),),
        ),
        Topic(
            _("Approving and sending"),
            _(
                "If you choose under Invoicing to review invoices first, they wait until"
                " you approve and send them, one by one or all at once. Customers do not"
                " see them before."
            ),
            (invoices,),
        ),
        Topic(
            _("Held back"),
            _(
                "An electronic invoice that lacks something, such as a VAT ID, is held"
                " back: it has no number, nothing is booked, and its page says what to"
                " enter. It is tried again every night, or when you press “Try again”."
                " Later periods of that customer wait behind it."
            ),
            (invoices,),
        ),
        Topic(
            _("Payments"),
            _(
                "Record a payment on the invoice's page, or import the statement of your"
                " bank: lines that name an invoice and its amount are booked, the others"
                " wait for you to say what they are."
            ),
            (
                Page(_("Payments"), "billing:payment-list", Permission.COMMERCE),
                Page(_("Bank statements"), "billing:import-list", Permission.COMMERCE),
            ),
        ),
        Topic(
            _("Corrections"),
            _(
                "An invoice that was issued never changes. A credit note takes back all"
                " or part of it; over all of it, it cancels the invoice, and you can"
                " issue it anew in the same step. What will never be paid is written off:"
                " the documents stay, the debt is closed."
            ),
            (invoices,),
        ),
        Topic(
            _("Overdue"),
            _(
                "Some days after the due date an invoice is overdue. The rate plan says"
                " after how many, on which days reminders are mailed, and whether the"
                " customer's calls are locked until it pays. Receivables shows who owes"
                " how much, and for how long."
            ),
            (
                receivables,
                Page(_("Rate plans"), "rateplans:plan-list", Permission.COMMERCE),
            ),
        ),
        Topic(
            _("What customers see"),
            _(
                "Under Reports » Invoices, customers find the invoices that were sent to"
                " them, with all files, and under Open items what is still to be paid."
                " No customer sees invoices that are held back or wait for approval."
            ),
        ),
    ]
