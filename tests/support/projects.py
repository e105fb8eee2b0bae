"""Fields and inputs of projects."""

PROJECT_FIELDS = """project { id name code startsOn endsOn invoiceMethod invoiceReference archivedAt isArchived isArchivedWithClient version
  client { name } financial { currency hourlyRate { amount } fixedPrice { amount } effectiveHourlyRate { amount currency } } }"""
UPDATE_INPUTS: dict[str, dict[str, object]] = {
    "projectUpdate": {"name": "Anders"},
    "projectArchive": {},
    "projectUnarchive": {},
    "projectDelete": {},
}
