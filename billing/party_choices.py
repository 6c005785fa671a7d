"""Fixed values of sellers and buyers on invoices."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

SEPA_CURRENCY = "EUR"  # of direct debits; others are none of SEPA's


class VatTreatment(TextChoices):
    """What VAT there is on a buyer's invoices; the codes are those of UNTDID 5305."""

    STANDARD = "S", _("Taxed as usual")
    ZERO_RATED = "Z", _("Zero-rated: VAT of 0 %")
    EXEMPT = "E", _("Exempt from VAT")
    REVERSE_CHARGE = "AE", _("Reverse charge: the customer owes the VAT")
    INTRA_COMMUNITY = "K", _("Supply to a business in another EU country")
    EXPORT = "G", _("Export out of the EU")
    OUTSIDE = "O", _("Outside the scope of VAT")

    @property
    def needs_vat_id(self) -> bool:
        """Whether the buyer must be known by its VAT ID (BR-AE-02, BR-IC-02)."""
        return self in {VatTreatment.REVERSE_CHARGE, VatTreatment.INTRA_COMMUNITY}


class UntaxedCategory(TextChoices):
    """What a line is that bears no VAT though its buyer is taxed as usual."""

    ZERO_RATED = "Z", _("Zero-rated: VAT of 0 %")
    EXEMPT = "E", _("Exempt from VAT")
    OUTSIDE = "O", _("Nothing we sell is subject to VAT")


class TaxRounding(TextChoices):
    """How a seller rounds the taxes of an invoice."""

    PER_TOTAL = "per_total", _("Once per tax, on the sum of the invoice")
    PER_LINE = "per_line", _("On each line, then added up")


class EndpointScheme(TextChoices):
    """Whose numbers an electronic address is of: the EAS code list, as far as it is used."""

    GLN = "0088", _("GLN (GS1 location number)")
    DUNS = "0060", _("D-U-N-S number")
    LEI = "0199", _("LEI (legal entity identifier)")
    EMAIL = "EM", _("E-mail address (not reached by Peppol)")
    AU_ABN = "0151", _("Australia: business number (ABN)")
    AT_VAT = "9914", _("Austria: VAT ID")
    BE_COMPANY = "0208", _("Belgium: enterprise number")
    BE_VAT = "9925", _("Belgium: VAT ID")
    HR_VAT = "9934", _("Croatia: VAT ID")
    CZ_VAT = "9929", _("Czechia: VAT ID")
    DK_CVR = "0184", _("Denmark: CVR number")
    EE_COMPANY = "0191", _("Estonia: company code")
    EE_VAT = "9931", _("Estonia: VAT ID")
    FI_OVT = "0216", _("Finland: OVT code")
    FI_VAT = "0213", _("Finland: VAT ID")
    FR_SIREN = "0002", _("France: SIREN number")
    FR_SIRET = "0009", _("France: SIRET number")
    FR_PLATFORM = "0225", _("France: address of the invoicing platforms")
    FR_VAT = "9957", _("France: VAT ID")
    DE_LEITWEG = "0204", _("Germany: Leitweg-ID of an authority")
    DE_VAT = "9930", _("Germany: VAT ID")
    GB_VAT = "9932", _("Great Britain: VAT ID")
    GR_VAT = "9933", _("Greece: VAT ID")
    HU_VAT = "9910", _("Hungary: VAT ID")
    IS_COMPANY = "0196", _("Iceland: kennitala")
    IE_VAT = "9935", _("Ireland: VAT ID")
    IT_OFFICE = "0201", _("Italy: code of a public office (IPA)")
    IT_TAX = "0210", _("Italy: codice fiscale")
    IT_VAT = "0211", _("Italy: VAT ID")
    JP_COMPANY = "0188", _("Japan: corporate number")
    JP_INVOICE = "0221", _("Japan: registered invoice issuer")
    LV_COMPANY = "0218", _("Latvia: registration number")
    LV_VAT = "9939", _("Latvia: VAT ID")
    LI_VAT = "9936", _("Liechtenstein: VAT ID")
    LT_COMPANY = "0200", _("Lithuania: company code")
    LT_VAT = "9937", _("Lithuania: VAT ID")
    LU_VAT = "9938", _("Luxembourg: VAT ID")
    NL_COMPANY = "0106", _("Netherlands: Chamber of Commerce number (KvK)")
    NL_OFFICE = "0190", _("Netherlands: number of an authority (OIN)")
    NL_VAT = "9944", _("Netherlands: VAT ID")
    NO_COMPANY = "0192", _("Norway: organisation number")
    PL_VAT = "9945", _("Poland: VAT ID")
    PT_VAT = "9946", _("Portugal: VAT ID")
    RO_VAT = "9947", _("Romania: VAT ID")
    SG_COMPANY = "0195", _("Singapore: UEN")
    SK_VAT = "9950", _("Slovakia: VAT ID")
    SI_VAT = "9949", _("Slovenia: VAT ID")
    ES_VAT = "9920", _("Spain: VAT ID")
    SE_COMPANY = "0007", _("Sweden: organisation number")
    CH_COMPANY = "0183", _("Switzerland: UID")
    CH_VAT = "9927", _("Switzerland: VAT ID")
    US_EIN = "9959", _("United States: employer number (EIN)")

    @property
    def vat_prefix(self) -> str:
        """The letters of the VAT IDs it consists of, "" for other numbers."""
        letters = {"GR": "EL"}.get(self.name[:2], self.name[:2])
        return letters if self.name.endswith("_VAT") else ""
