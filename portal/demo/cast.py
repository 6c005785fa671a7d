"""The people, shops and numbers of the demo.

Telephone numbers are from the ranges that regulators keep for films and books, mail
addresses end in .example (RFC 2606): nothing of it reaches anybody.
"""

from __future__ import annotations

from decimal import Decimal

from customers.choices import Lock
from portal.demo.specs import Business, Reseller, Resident, Staff, Stock, TaxSpec
from rateplans.choices import BillType, InvoiceDetail, InvoiceFormat, LockWhenOverdue

SYSTEM_OWNER = "Trunk Systems"
SYSTEM_OWNER_EMAIL = "accounts@trunk-systems.example"
SYSTEM_OWNER_ADDRESS = {
    "address1": "Mainzer Landstraße 50",
    "address_code": "60325",
    "address_city": "Frankfurt am Main",
}

NUMBER_CLASSES = (
    ("Bronze", "A pair of equal digits: easier to say.", 1),
    ("Silver", "Easy to remember: repetitions and steps.", 2),
    ("Gold", "As short and memorable as a number can be.", 3),
)
REGIONS = (
    ("Central Europe", "Machines in Frankfurt and Amsterdam."),
    ("British Isles", "Machines in London and Dublin."),
)
DIAL_PLANS = (
    ("Germany", "0 dials within Germany, 00 abroad; 110 and 112 for emergencies."),
    ("United Kingdom", "0 dials within the UK, 00 abroad; 999 and 112."),
)

OWNER = Staff("Olivia", "Berg", "olivia.berg@trunk-systems.example", "", "owner")
OWNER_STAFF = (
    Staff("Piotr", "Nowak", "piotr.nowak@trunk-systems.example", "System owner"),
    Staff("Grace", "Achieng", "grace.achieng@trunk-systems.example", "Administrator"),
)
OWNER_COMPANY = {
    "display_name": "Trunk Systems",
    "colour": "#0b6e6e",
    "sender_name": "Trunk Systems",
    "service_email": "care@trunk-systems.example",
    "service_telephone": "+49 69 90009 100",
    "website": "https://trunk-systems.example",
}
OWNER_PLANS = (
    {
        "name": "Carrier Euro",
        "description": "For resellers who are billed in euros.",
        "currency": "EUR",
        "bill_type": BillType.POSTPAID,
        "due_days": 30,
        "invoice_detail": InvoiceDetail.DESTINATION,
    },
    {
        "name": "Carrier Sterling",
        "description": "For resellers who are billed in pounds.",
        "currency": "GBP",
        "bill_type": BillType.POSTPAID,
        "due_days": 30,
    },
    {
        "name": "Carrier Dollar",
        "description": "For resellers who are billed in US dollars.",
        "currency": "USD",
        "bill_type": BillType.POSTPAID,
        "due_days": 30,
    },
    {
        "name": "Easy Start",
        "description": "Ready to sell on the first day: every reseller may use it.",
        "share": "recursive",
        "currency": "EUR",
        "bill_type": BillType.PREPAID,
        "concurrent_calls": 10,
    },
)
OWNER_TAXES = (
    TaxSpec("VAT 19 %", rate="19", values={"description": "German value added tax."}),
)
OWNER_STOCK = (
    Stock("+496990009100", 12),
    Stock("+496990009220", 4, "Bronze"),
    Stock("+496990009900", 2, "Gold"),
)

_POSTPAID = {"bill_type": BillType.POSTPAID, "currency": "EUR"}
_PREPAID = {"bill_type": BillType.PREPAID, "currency": "EUR"}

_FISCHER = Reseller(
    business=Business(
        "Fischer & Söhne Kommunikation",
        "rechnung@fischer-soehne.example",
        "Am Wall 88",
        ("28195", "Bremen"),
        "Partner",
        Decimal(5000),
        people=(
            Staff("Heinz", "Fischer", "heinz@fischer-soehne.example", "Reseller"),
            Staff("Lena", "Fischer", "lena@fischer-soehne.example", "Reseller"),
        ),
    ),
    country="DE",
    time_zone="Europe/Berlin",
    company={
        "display_name": "Fischer & Söhne",
        "colour": "#8a4b08",
        "service_email": "hilfe@fischer-soehne.example",
    },
    plans=(
        {
            "name": "Laden",
            "description": "Shops and practices.",
            "reminder_days": "7, 14, 21",
            "overdue_lock": LockWhenOverdue.CALLS,
            **_POSTPAID,
        },
        {"name": "Zuhause", "description": "Households.", **_PREPAID},
    ),
    taxes=(TaxSpec("VAT 19 %", rate="19"),),
    stock=(Stock("+492214710300", 8), Stock("+492214710777", 1, "Silver")),
    customers=(
        Business(
            "Fahrradladen Speiche",
            "laden@speiche.example",
            "Ostertorsteinweg 12",
            ("28203", "Bremen"),
            "Laden",
            Decimal(40),
            people=(Staff("Jule", "Brandes", "jule@speiche.example", "Administrator"),),
            telephones=("Shop", "Workshop"),
        ),
        Business(
            "Buchhandlung Wortreich",
            "kasse@wortreich.example",
            "Böttcherstraße 4",
            ("28195", "Bremen"),
            "Laden",
            Decimal(150),
        ),
        Resident(
            "Petra",
            "Lüders",
            "petra.lueders@post.example",
            "Deichweg 3",
            ("28357", "Bremen"),
            "Zuhause",
        ),
        Business(
            "Physiotherapie Yücel",
            "praxis@yuecel.example",
            "Hamburger Straße 60",
            ("28205", "Bremen"),
            "Easy Start",
        ),
    ),
)

_MORGENROT = Business(
    "Bäckerei Morgenrot",
    "buchhaltung@morgenrot.example",
    "Große Elbstraße 27",
    ("22767", "Hamburg"),
    "Business",
    Decimal(500),
    people=(
        Staff("Mia", "Hoffmann", "mia@morgenrot.example", "Administrator", "admin"),
        Staff("Karl", "Hoffmann", "karl@morgenrot.example", "Administrator"),
        Staff("Selin", "Aydemir", "selin@morgenrot.example", "User"),
    ),
    telephones=("Counter", "Bakehouse", "Office"),
    mailbox="Orders",
    numbers=4,
    note=(
        "Opens at five",
        "Please never call before noon: they bake at night. Karl decides, Mia knows"
        " everything about the telephones.",
    ),
)

_NORDWIND = Reseller(
    business=Business(
        "Nordwind Telekom",
        "buchhaltung@nordwind.example",
        "Am Sandtorkai 30",
        ("20457", "Hamburg"),
        "Carrier Euro",
        Decimal(25000),
        people=(
            Staff(
                "Anna", "Weber", "anna.weber@nordwind.example", "Reseller", "reseller"
            ),
            Staff("Tobias", "Krüger", "tobias.krueger@nordwind.example", "Reseller"),
            Staff("Fatma", "Demir", "fatma.demir@nordwind.example", "Administrator"),
        ),
        telephones=("Reception", "Service desk"),
        numbers=2,
        note=(
            "Raised the limit",
            "Credit limit raised to 25,000 after two good years.",
        ),
    ),
    country="DE",
    time_zone="Europe/Berlin",
    company={
        "display_name": "Nordwind",
        "colour": "#1d4ed8",
        "sender_name": "Nordwind Telekom",
        "service_email": "hilfe@nordwind.example",
        "service_telephone": "+49 40 66969 100",
        "website": "https://nordwind.example",
    },
    plans=(
        {
            "name": "Business",
            "description": "Shops, practices and offices: pay after the month.",
            **_POSTPAID,
        },
        {
            "name": "Business Flex",
            "description": "No contract, pay in advance.",
            "bill_type": BillType.PREPAID_INVOICES,
            "currency": "EUR",
            "concurrent_calls": 4,
        },
        {
            "name": "Business 24",
            "description": "Cheaper, for two years.",
            "contract": "2_year",
            "invoice_format": InvoiceFormat.XML,
            "invoice_detail": InvoiceDetail.ITEMISED,
            **_POSTPAID,
        },
        {
            "name": "Privat",
            "description": "Households: one number, pay in advance.",
            "offered_at_signup": True,
            "call_maximum": Decimal(25),
            "concurrent_calls": 2,
            **_PREPAID,
        },
        {"name": "Partner", "description": "For our own resellers.", **_POSTPAID},
    ),
    taxes=(
        TaxSpec("VAT 19 %", rate="19"),
        TaxSpec(
            "Emergency call levy",
            amount="0.25",
            is_vat=False,
            values={
                "description": "Flat, once a period, for the emergency call centres.",
                "liable": "new",
                "applies_features": False,
                "applies_numbers": False,
                "applies_calls": False,
                "applies_messages": False,
                "applies_products": False,
                "applies_charges": False,
            },
        ),
    ),
    stock=(
        Stock("+494066969100", 40),
        Stock("+493023125200", 25),
        Stock("+494066969550", 6, "Bronze"),
        Stock("+498999998880", 5, "Silver"),
        Stock("+493023125111", 1, "Gold"),
        Stock("+494066969000", 1, "Gold"),
    ),
    customers=(
        _MORGENROT,
        Resident(
            "Jonas",
            "Keller",
            "jonas.keller@post.example",
            "Schanzenstraße 75",
            ("20357", "Hamburg"),
            "Privat",
            username="user",
        ),
        Business(
            "Reederei Jansen & Co.",
            "accounting@jansen.example",
            "Baumwall 7",
            ("20459", "Hamburg"),
            "Business",
            Decimal(2500),
            people=(
                Staff("Wiebke", "Jansen", "wiebke@jansen.example", "Administrator"),
            ),
            telephones=("Bridge",),
            numbers=2,
            lock=Lock.BOTH,
            lock_reason="Two reminders unanswered; waiting for Wiebke Jansen's call.",
            note=(
                "Promised payment",
                "Wiebke promised to pay by the end of the month.",
            ),
        ),
        Business(
            "Zahnarztpraxis Dr. Özdemir",
            "empfang@praxis-oezdemir.example",
            "Osterstraße 120",
            ("20255", "Hamburg"),
            "Business",
            Decimal(300),
            people=(
                Staff(
                    "Deniz", "Özdemir", "deniz@praxis-oezdemir.example", "Administrator"
                ),
            ),
            telephones=("Reception", "Treatment 1"),
            numbers=1,
        ),
        Business(
            "Steuerkanzlei Brandt & Partner",
            "kanzlei@brandt-partner.example",
            "Neuer Wall 9",
            ("20354", "Hamburg"),
            "Business",
            Decimal(1000),
            people=(
                Staff("Ute", "Brandt", "ute@brandt-partner.example", "Administrator"),
            ),
            numbers=1,
            values={"concurrent_calls": 4},
        ),
        Business(
            "Hotel Alsterblick",
            "accounting@alsterblick.example",
            "An der Alster 80",
            ("20099", "Hamburg"),
            "Business 24",
            Decimal(3000),
            people=(
                Staff("Clara", "Voss", "clara@alsterblick.example", "Administrator"),
            ),
            telephones=("Lobby", "Bar", "Kitchen", "Seminar room"),
            mailbox="Reservations",
            numbers=3,
            account={"send_invoices": True, "invoice_format": InvoiceFormat.XML},
        ),
        Resident(
            "Marlies",
            "Petersen",
            "marlies.petersen@post.example",
            "Elbchaussee 210",
            ("22605", "Hamburg"),
            "Privat",
        ),
        Business(
            "Videothek Panorama",
            "chef@panorama.example",
            "Reeperbahn 150",
            ("20359", "Hamburg"),
            "Business Flex",
            is_deleted=True,
        ),
        Business(
            "مطعم الياسمين الدمشقي",
            "info@yasmin.example",
            "Steindamm 50",
            ("20099", "Hamburg"),
            "Business Flex",
            people=(Staff("Rami", "Haddad", "rami@yasmin.example", "Administrator"),),
            telephones=("الصالة", "المطبخ"),
            numbers=1,
            account={"low_balance": Decimal(30)},
        ),
        Business(
            "Raketenwerk 🚀 Software",
            "hello@raketenwerk.example",
            "Oranienstraße 185",
            ("10999", "Berlin"),
            "Business",
            Decimal(750),
            people=(
                Staff("Zoë", "Nguyễn", "zoe@raketenwerk.example", "Administrator"),
            ),
        ),
        Business(
            "株式会社みなと商事 ハンブルク支店",
            "keiri@minato.example",
            "Johannisbollwerk 16",
            ("20459", "Hamburg"),
            "Business",
            Decimal(1500),
        ),
        Business(
            "Gemeinnützige Gesellschaft zur Förderung des Fernsprechwesens zwischen"
            " Elbe, Weser und Ems mbH",
            "verwaltung@fernsprechwesen.example",
            "Hafenstraße 1",
            ("21680", "Stade"),
            "Business Flex",
            people=(
                Staff(
                    "Enno", "Harms", "harms@fernsprechwesen.example", "Administrator"
                ),
            ),
            telephones=("Vorzimmer",),
        ),
        Business(
            "Ferienhof Arlberg",
            "post@ferienhof.example",
            "Dorfstraße 4",
            ("6580", "St. Anton"),
            "Business Flex",
            people=(Staff("Resi", "Falch", "resi@ferienhof.example", "Administrator"),),
            telephones=("Stube",),
            values={"country": "AT"},
        ),
        Business(
            "Möbelhaus Lindqvist",
            "faktura@lindqvist.example",
            "Wandsbeker Chaussee 4",
            ("22089", "Hamburg"),
            "Business Flex",
            people=(
                Staff("Nils", "Lindqvist", "nils@lindqvist.example", "Administrator"),
            ),
            telephones=("Warehouse",),
            lock=Lock.CALLS,
            lock_reason="Spent more than its daily maximum.",
        ),
        Business(
            "Kinderhaus Regenbogen e. V.",
            "vorstand@regenbogen.example",
            "Stresemannstraße 31",
            ("22769", "Hamburg"),
            "Business",
            Decimal(100),
        ),
        Business(
            "Seilbahnen Alpenblick",
            "buchhaltung@alpenblick.example",
            "Rennweg 39",
            ("6020", "Innsbruck"),
            "Business",
            Decimal(400),
            values={"country": "AT"},
            account={"invoice_format": InvoiceFormat.XML},
        ),
        Business(
            "Weingut Sonnenhang",
            "wein@sonnenhang.example",
            "Kellergasse 2",
            ("55116", "Mainz"),
            "Easy Start",
        ),
    ),
    resellers=(_FISCHER,),
)

_HARBOUR = Reseller(
    business=Business(
        "Harbour Voice",
        "ledger@harbour-voice.example",
        "14 Wapping High Street",
        ("E1W 1NJ", "London"),
        "Carrier Sterling",
        Decimal(10000),
        people=(
            Staff("Oliver", "Whitcombe", "oliver@harbour-voice.example", "Reseller"),
            Staff("Priya", "Raman", "priya@harbour-voice.example", "Reseller"),
        ),
    ),
    country="GB",
    time_zone="Europe/London",
    company={
        "display_name": "Harbour Voice",
        "colour": "#b03a2e",
        "service_email": "help@harbour-voice.example",
        "service_telephone": "+44 20 7946 0100",
        "website": "https://harbour-voice.example",
    },
    plans=(
        {
            "name": "Trade",
            "description": "Firms with an account.",
            "currency": "GBP",
            "bill_type": BillType.POSTPAID,
        },
        {
            "name": "Pay as you go",
            "description": "Top up and talk.",
            "currency": "GBP",
            "bill_type": BillType.PREPAID,
        },
    ),
    taxes=(TaxSpec("VAT 20 %", rate="20"),),
    stock=(
        Stock("+442079460100", 20),
        Stock("+441614960200", 10),
        Stock("+442079460888", 1, "Gold"),
    ),
    customers=(
        Business(
            "Thames Rowing & Regatta Club",
            "treasurer@thames-rowing.example",
            "Putney Embankment",
            ("SW15 1LB", "London"),
            "Trade",
            Decimal(400),
        ),
        Business(
            "O'Connor & Daughters",
            "books@oconnor.example",
            "3 Deansgate",
            ("M3 1AZ", "Manchester"),
            "Trade",
            Decimal(800),
            people=(
                Staff("Aoife", "O'Connor", "aoife@oconnor.example", "Administrator"),
            ),
            telephones=("Shop floor", "Books"),
            account={"invoice_format": InvoiceFormat.XML},
        ),
        Resident(
            "Harriet",
            "Lowe",
            "harriet.lowe@post.example",
            "9 Cable Street",
            ("E1 8JG", "London"),
            "Pay as you go",
        ),
        Business(
            "Brick Lane Bagels",
            "hello@bricklanebagels.example",
            "151 Brick Lane",
            ("E1 6SB", "London"),
            "Pay as you go",
            values={"country": ""},  # whoever made it left it out
        ),
    ),
)

_BLUEBIRD = Reseller(
    business=Business(
        "Bluebird Communications",
        "ap@bluebird.example",
        "350 Hudson Street",
        ("10014", "New York"),
        "Carrier Dollar",
        Decimal(15000),
        people=(Staff("Dana", "Castillo", "dana@bluebird.example", "Reseller"),),
        values={"address_state": "NY"},
    ),
    country="US",
    time_zone="America/New_York",
    company={
        "display_name": "Bluebird",
        "colour": "#0369a1",
        "service_email": "care@bluebird.example",
    },
    plans=(
        {
            "name": "Main Street",
            "description": "Small business, billed monthly.",
            "currency": "USD",
            "bill_type": BillType.POSTPAID,
        },
    ),
    taxes=(
        TaxSpec("Sales tax", rate="8.875", is_vat=False),
        TaxSpec("911 surcharge", amount="1.00", is_vat=False),
    ),
    stock=(Stock("+12125550110", 15),),
    customers=(
        Business(
            "Hudson Dental Group",
            "billing@hudsondental.example",
            "75 Varick Street",
            ("10013", "New York"),
            "Main Street",
            Decimal(600),
            values={"address_state": "NY"},
        ),
        Business(
            "Five Boroughs Bike Messengers",
            "ride@fiveboroughs.example",
            "200 Bowery",
            ("10012", "New York"),
            "Main Street",
            Decimal(250),
            values={"address_state": "NY"},
        ),
    ),
)

# Has nothing yet, so that one sees what a new reseller sees.
_NEULAND = Reseller(
    business=Business(
        "Neuland Voice",
        "start@neuland.example",
        "Königsallee 1",
        ("40212", "Düsseldorf"),
        "Carrier Euro",
        Decimal(1000),
        people=(
            Staff("Nele", "Sommer", "nele@neuland.example", "Reseller", "newcomer"),
        ),
    ),
    country="DE",
    time_zone="Europe/Berlin",
)

RESELLERS = (_NORDWIND, _HARBOUR, _BLUEBIRD, _NEULAND)
