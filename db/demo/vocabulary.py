"""Words for the names of the demo's invented companies, people and authorities, and for their addresses."""

DUTCH_TRADES = (
    "Aannemersbedrijf", "Administratiekantoor", "Apotheek", "Architectenbureau", "Bakkerij", "Bloemenatelier", "Boekhandel", "Brasserie",
    "Brouwerij", "Café", "Conservenfabriek", "Dierenkliniek", "Drukkerij", "Fietsenmakerij", "Fysiotherapie", "Garage", "Glaszetterij",
    "Hoveniersbedrijf", "Ingenieursbureau", "Installatiebedrijf", "Jachthaven", "Kaasmakerij", "Kinderopvang", "Koffiebranderij",
    "Kwekerij",
    "Loodgietersbedrijf", "Machinefabriek", "Makelaardij", "Meubelmakerij", "Notariskantoor", "Reclamebureau", "Rijschool", "Scheepswerf",
    "Schildersbedrijf", "Softwarehuis", "Staalbouw", "Tandartspraktijk", "Textielatelier", "Timmerfabriek", "Transportbedrijf",
    "Uitgeverij",
    "Wijnhandel", "Zeilmakerij", "Zorggroep",
)  # fmt: skip
FRENCH_TRADES = (
    "Atelier", "Boulangerie", "Brasserie", "Brûlerie", "Cabinet comptable", "Carrosserie", "Chocolaterie", "Crèche", "Ébénisterie",
    "Épicerie",
    "Ferronnerie", "Fromagerie", "Garage", "Imprimerie", "Librairie", "Maçonnerie", "Menuiserie", "Pépinière", "Pharmacie", "Pâtisserie",
    "Toitures", "Vinothèque",
)  # fmt: skip
# The names on the signs of shops and inns. A company name can be a trade and a sign, for example "Bakkerij De Gouden Aar".
DUTCH_SIGNS = (
    "De Drie Linden", "De Eenhoorn", "De Gouden Aar", "De Groene Specht", "De Morgenster", "De Nieuwe Maan", "De Oude Sluis",
    "De Waterlelie",
    "De Zilverberk", "Het Blauwe Huis", "Het Kompas", "Het Roode Anker", "In den Beiaard", "Overzicht", "Ruimzicht", "'t Hoekje",
    "'t Veerhuis", "Vooruitzien", "Zeewinde", "Zonnehoek", "Zoë",
)  # fmt: skip
FRENCH_SIGNS = (
    "À la Belle Étoile", "Au Moulin Doré", "Aux Trois Chênes", "de la Forêt", "des Érables", "du Châtelet", "du Vieux Pont", "La Clé d'Or",
    "Le Héron", "L'Écluse", "Les Hêtres", "Zoé",
)  # fmt: skip
DUTCH_SURNAMES = (
    "Aalbersma", "Beukema", "Boswinkel", "Brinksma", "Dijkgraaf", "Eikelenboom", "Elzinga", "Groenewoud", "Heuvelink", "Hoogendijk",
    "IJzerloo",
    "Kloosterman", "Koekebakker", "Lammertink", "Meijerink", "Nijenhuis", "Oosterveld", "Oudejans", "Poelgeest", "Riemersma", "Roelofs",
    "Slotboom", "Steenbergen", "Ter Haar", "Terpstra", "Tigchelaar", "Uiterwaard", "Van den Eikel", "Van der Zijpe", "Van Oosterhout",
    "Veldhuizen", "Verhagen", "Waterhoen", "Wiersma", "Zandbergen", "Zijlstra",
)  # fmt: skip
FLEMISH_SURNAMES = (
    "Baeten", "Claeyssens", "Coppieters", "De Craene", "De Smedt", "Deckx", "Goossens", "Haesebrouck", "Huyghebaert", "Lauwereys",
    "Maertens",
    "Naessens", "Ooghe", "Roelandts", "Schoonaert", "Segers", "Thijs", "Van Acker", "Van den Broucke", "Vanhoutte", "Verstraeten",
    "Wouters",
)  # fmt: skip
FRENCH_SURNAMES = (
    "Aubépin", "Bodart", "Collignon", "Defrène", "Delvaux", "Étienne", "Fontenoy", "Gérardy", "Hallet", "Lecomte", "Léonard", "Maréchal",
    "Noël", "Pirotte", "Quévrin", "Renard", "Servais", "Thiry", "Warnant",
)  # fmt: skip
ENGLISH_SURNAMES = ("Ashdown", "Birchall", "Calloway", "Dunmore", "Eastleigh", "Fairweather", "Hartwell", "Larkin", "Penrose", "Thornbury")
GERMAN_SURNAMES = ("Ahrend", "Birkner", "Försterling", "Grünwald", "Kießling", "Lindhorst", "Möllenkamp", "Rübsam", "Weidner")
DUTCH_FIRST = (
    "Anneke", "Bas", "Bram", "Daan", "Esmée", "Femke", "Gijs", "Hanneke", "Ilse", "Jeroen", "Joost", "Karin", "Lieke", "Maarten", "Marijke",
    "Niels", "Noor", "Pieter", "Renée", "Roos", "Sanne", "Sjoerd", "Thijs", "Tim", "Willemijn", "Wouter", "Yvonne", "Zoë",
)  # fmt: skip
FLEMISH_FIRST = ("An", "Bart", "Dries", "Eline", "Greet", "Hilde", "Jef", "Jozefien", "Koen", "Leen", "Lotte", "Pieterjan", "Tine", "Wim")
FRENCH_FIRST = ("Amélie", "Benoît", "Chloé", "Didier", "Élodie", "François", "Gaëlle", "Hélène", "Jérôme", "Manon", "Noémie", "Rémi", "Zoé")
ENGLISH_FIRST = ("Alice", "Edward", "Grace", "Harriet", "James", "Oliver", "Rebecca", "Simon", "Victoria", "William")
GERMAN_FIRST = ("Anja", "Björn", "Jörg", "Käthe", "Lukas", "Sabine", "Uwe")
# Each city has the lowest number of its postcodes.
DUTCH_CITIES = {
    "Amsterdam": 1000, "Alkmaar": 1800, "Den Haag": 2500, "Leiden": 2300, "Rotterdam": 3000, "Utrecht": 3500, "Amersfoort": 3800,
    "Middelburg": 4300, "Breda": 4800, "Tilburg": 5000, "Eindhoven": 5600, "Maastricht": 6200, "Arnhem": 6800, "Nijmegen": 6500,
    "Enschede": 7500, "Deventer": 7400, "Zwolle": 8000, "Leeuwarden": 8900, "Groningen": 9700, "Assen": 9400,
}  # fmt: skip
FLEMISH_CITIES = {
    "Antwerpen": 2000, "Mechelen": 2800, "Turnhout": 2300, "Leuven": 3000, "Hasselt": 3500, "Genk": 3600, "Brugge": 8000, "Kortrijk": 8500,
    "Oostende": 8400, "Gent": 9000, "Aalst": 9300, "Sint-Niklaas": 9100,
}  # fmt: skip
WALLOON_CITIES = {
    "Bruxelles": 1000, "Wavre": 1300, "Liège": 4000, "Verviers": 4800, "Namur": 5000, "Dinant": 5500, "Charleroi": 6000, "Arlon": 6700,
    "Mons": 7000, "Tournai": 7500,
}  # fmt: skip
DUTCH_STREETS = (
    "Ambachtsweg", "Beukenlaan", "Dorpsstraat", "Eikenlaan", "Energieweg", "Haven Zuidzijde", "Industrieweg", "Kanaaldijk", "Kerkplein",
    "Lange Nieuwstraat", "Markt", "Molenweg", "Oude Gracht", "Parallelweg", "Stationsweg", "Veerkade", "Wilgenlaan",
)  # fmt: skip
FRENCH_STREETS = (
    "Avenue des Tilleuls", "Chaussée de l'Étang", "Place du Marché", "Quai des Pêcheurs", "Rue de l'Église", "Rue de la Gare",
    "Rue des Forêts", "Rue du Château",
)  # fmt: skip
# Authorities are of towns that do not exist, so that none of them is a real authority.
INVENTED_TOWNS = ("Oosterlaar", "Westermeer", "Noordwoude", "Zuiderveen", "Hoogkerspel", "Lindenrade", "Drieboezem", "Vlierhoven")
INVENTED_FLEMISH_TOWNS = ("Lindegem", "Beukelare", "Sint-Aldebrand", "Meersbeke")
INVENTED_WALLOON_TOWNS = ("Valbrune", "Saint-Évrard", "Hautes-Ronces", "Pont-à-Lys")
