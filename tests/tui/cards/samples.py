"""Cards written by hand."""

from __future__ import annotations

from typing import Any

ARRIVED = "It arrived on Tuesday, open and empty, and the neighbour who took it in saw it so too."
PAID = "by card on 2026-01-31, never charged back, never disputed"

REFUND: dict[str, Any] = {
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [
        {"type": "TextBlock", "text": "Refund [b]2041[/b]", "size": "large", "weight": "bolder"},
        {
            "type": "RichTextBlock",
            "inlines": [
                "Asked by ",
                {"type": "TextRun", "text": "Ada", "weight": "bolder"},
                {
                    "type": "TextRun",
                    "text": ", see the order",
                    "selectAction": {"type": "Action.OpenUrl", "url": "https://shop.test/2041"},
                },
            ],
        },
        {
            "type": "Container",
            "separator": True,
            "items": [
                {
                    "type": "ColumnSet",
                    "columns": [
                        {
                            "items": [
                                {
                                    "type": "Image",
                                    "url": "https://x.test/p.png",
                                    "altText": "A parcel",
                                }
                            ]
                        },
                        {
                            "type": "Column",
                            "items": [
                                {
                                    "type": "TextBlock",
                                    "isSubtle": True,
                                    "text": ARRIVED,
                                }
                            ],
                        },
                    ],
                }
            ],
        },
        {
            "type": "FactSet",
            "facts": [
                {"title": "Amount", "value": "480 EUR"},
                {"title": "Account", "value": "DE89 3704 0044 0532 0130 00"},
                {
                    "title": "Paid",
                    "value": "by card on 2026-01-31, never charged back, never disputed",
                },
            ],
        },
        {"type": "ImageSet", "images": [{"url": "https://x.test/1"}, {"url": "https://x.test/2"}]},
        {"type": "Rating", "value": 4},
        {
            "type": "Input.Text",
            "id": "reason",
            "label": "Reason",
            "isMultiline": True,
            "placeholder": "for the file",
            "maxLength": 120,
        },
        {
            "type": "Input.Number",
            "id": "amount",
            "label": "Amount",
            "value": 480,
            "min": 1,
            "max": 500,
            "isRequired": True,
            "errorMessage": "One to five hundred, please",
        },
        {
            "type": "Input.Date",
            "id": "day",
            "label": "Pay on",
            "value": "2026-02-02",
            "min": "2026-02-01",
        },
        {"type": "Input.Time", "id": "at", "isVisible": False},
        {
            "type": "Input.Toggle",
            "id": "urgent",
            "title": "Urgent",
            "valueOn": "yes",
            "valueOff": "no",
        },
        {
            "type": "Input.ChoiceSet",
            "id": "team",
            "label": "Team",
            "value": "b",
            "choices": [{"title": "Billing", "value": "b"}, {"title": "Stock", "value": "s"}],
        },
        {
            "type": "Input.ChoiceSet",
            "id": "tags",
            "isMultiSelect": True,
            "value": "n,z",
            "choices": [
                {"title": "New", "value": "n"},
                {"title": "Old", "value": "o"},
                {"title": "Zed", "value": "z"},
            ],
        },
    ],
    "actions": [
        {
            "type": "Action.Submit",
            "title": "Approve",
            "data": {"decision": "approve", "amount": "0"},
        },
        {
            "type": "Action.Submit",
            "title": "Reject",
            "data": {"decision": "reject"},
            "associatedInputs": "none",
        },
        {
            "type": "Action.ShowCard",
            "title": "Comment",
            "card": {
                "type": "AdaptiveCard",
                "body": [{"type": "Input.Text", "id": "comment", "label": "Comment"}],
                "actions": [{"type": "Action.Execute", "title": "Send", "verb": "comment"}],
            },
        },
        {"type": "Action.OpenUrl", "title": "Policy", "url": "https://docs.test/refunds"},
        {"type": "Action.ToggleVisibility", "title": "When", "targetElements": ["at"]},
    ],
}

SIGN: dict[str, Any] = {
    "type": "AdaptiveCard",
    "version": "1.3",
    "body": [
        {"type": "TextBlock", "text": "Refund 2041", "size": "Large"},
        {"type": "Input.Number", "id": "amount", "label": "Amount", "value": 480, "max": 500},
        {"type": "Input.Toggle", "id": "urgent", "title": "Urgent"},
    ],
    "actions": [
        {"type": "Action.Submit", "title": "Approve", "data": {"decision": "approve"}},
        {
            "type": "Action.Submit",
            "title": "Reject",
            "data": {"decision": "reject"},
            "associatedInputs": "none",
        },
    ],
}
