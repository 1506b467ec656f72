"""What the synthetic voices say: no text is in two folds."""

from __future__ import annotations

from bench.corpus.clip import Fold

PEOPLE: dict[tuple[Fold, str], tuple[str, ...]] = {
    (Fold.TRAIN, "en"): (
        "Hello?", "Hi.", "Yes?", "Hello, this is Mary.", "Good morning, Baker and Sons, how can I help you?",
        "Smith residence.", "Who is this?", "Hello, hello?", "Peter here.", "Yes, good evening.",
        "Law office of Grant and Hill, Susan speaking.", "Hey, you.", "Hello, who is calling?", "Mom?",
        "Front desk, how may I direct your call?", "Can you hear me?", "Yep.", "Hi, I am driving, who is this?",
        "Riverside Dental, please hold one moment.", "Good afternoon, this is the kitchen.", "Hold on. Yes?",
    ),
    (Fold.DEV, "en"): (
        "Hallo?", "Yeah?", "Hey, what's up?", "Speaking.", "John Miller speaking.", "This is Anna.",
        "Thanks for calling the Corner Bakery, this is Tom, how may I help?", "Yes, hello, who's calling please?",
        "Go ahead.", "Reception.", "Good day, Northern Insurance, Kate at the line.", "Hi there, sorry, I was outside.",
        "What is it?", "Doctor Lee's office.",
    ),
    (Fold.FINAL, "en"): (
        "Good evening?", "Uh, hello there.", "Is that you, George?", "Yes, what?", "The Parkers.", "Helen.",
        "Reservations, Daniel here, what can I do for you?", "Maintenance.", "Morning.", "Hello, flat number nine.",
        "City library, information, you are speaking with Ruth.", "Oh, hi, I did not expect you to call so soon.",
        "Wait a second, I can hardly hear you.", "Hello, it's me.",
    ),
    (Fold.TRAIN, "es"): (
        "¿Bueno?", "¿Diga?", "Hola, ¿quién habla?", "Sí, dígame.", "Aló.",
        "Buenos días, farmacia Central, le atiende Ana.", "Familia Gómez.", "¿Sí?",
    ),
    (Fold.TRAIN, "it"): (
        "Pronto?", "Sì?", "Pronto, chi parla?", "Casa Rossi.", "Buongiorno, studio Bianchi, sono Carla.", "Dimmi.",
        "Eccomi.",
    ),
    (Fold.DEV, "fr"): (
        "Allô?", "Oui?", "Oui, bonjour, qui est à l'appareil?", "Cabinet Dupont, bonjour.", "J'écoute.",
        "Allô, oui, c'est Claire.",
    ),
    (Fold.FINAL, "fi"): (
        "Haloo?", "Niin?", "Virtanen.", "Hei, täällä Anna.", "Kuka siellä?", "Hyvää päivää, Helsingin kirjakauppa.",
        "Matti puhelimessa.", "No moi, mitä kuuluu?",
    ),
}  # fmt: skip

MACHINES: dict[tuple[Fold, str], tuple[str, ...]] = {
    (Fold.TRAIN, "en"): (
        "You have reached the Bakers. Nobody is home. Please leave a message after the beep.", "Leave a message.",
        "Hi, this is Peter. I can't come to the phone right now, so please leave your name and number.",
        "The person you are calling is not available. At the tone, please record your message.",
        "Hello, you have reached the voice mailbox of extension four one two. Please leave a message.",
        "We are closed now. Our hours are Monday to Friday, nine to five. Please call back, or leave a message.",
        "Hello? Yes? Ha, got you. I am out. Talk after the tone.",
        "The mailbox you are trying to reach is full. Please try again later. Goodbye.",
        "Hey, it's Rob, leave one.", "Sorry I missed you. Leave your name, your number, and the time you called.",
        "Thank you for calling Harbor Electric. All of our staff are away from their desks. If this is an emergency, "
        "hang up and dial nine one one. Otherwise leave your number and we will call you back within one business day.",
        "Six one seven, five five five, zero one two three, is not available. Please leave a message after the tone.",
        "Hi. I'm not here. You know the drill.", "The wireless customer you are calling is out of range.",
        "Welcome to the automated attendant of Green Valley School. If you know your party's extension, dial it now.",
    ),
    (Fold.DEV, "en"): (
        "Hi! You've got Susan's voicemail. You know what to do.", "Please leave your message after the tone.",
        "Hello? Hello? Just kidding, I am not here. Say something after the beep.",
        "Your call has been forwarded to an automated voice messaging system. Five five five, two, is not available.",
        "The Wilsons are away. Tell us who you are and we will ring you back.",
        "This is Dave. I never listen to these. Send me a text instead.",
        "The number you have dialed is not answering. To leave a voice message, wait for the signal.",
        "Good day. You are connected with the recorder of Lake Dental. We treat patients from eight in the morning to "
        "four in the afternoon. Say your name and your date of birth slowly.",
        "Not in. Speak.", "Voice message system. Mailbox nine nine is full.",
    ),
    (Fold.FINAL, "en"): (
        "I am sorry, the subscriber cannot take your call. When you hear the signal, begin to speak.",
        "Howdy, you found the Johnsons' machine. Do your thing.", "Record after the chime.",
        "Hello there. Hello? I can't hear you. Because I am a machine! Leave word for Frank.",
        "This telephone is switched off. Your call will now be recorded.",
        "Thanks for ringing Oak Street Motors. The workshop is shut until Tuesday. For towing, dial our night line. "
        "For anything else, give us your licence plate, and a mechanic will be in touch.",
        "Hey. Rita here. Busy. Bye.", "Storage for new messages is exhausted. Try another day.",
        "You are through to the answering service of Professor Blake. Kindly state your business.",
        "Two, zero, two, nine, eight, eight, one. Nobody can answer at the moment.",
    ),
    (Fold.TRAIN, "es"): (
        "Hola, soy Juan. En este momento no puedo contestar. Deja tu mensaje después de la señal.",
        "El número que usted marcó no está disponible. Por favor, deje su mensaje después del tono.",
        "Ha llamado a la clínica San Juan. Estamos cerrados. Llame mañana a partir de las nueve.",
        "El buzón está lleno.", "Deje su mensaje.",
    ),
    (Fold.TRAIN, "it"): (
        "Ciao, sono Luca. Adesso non posso rispondere. Lasciate un messaggio dopo il segnale acustico.",
        "Il cliente da lei chiamato non è al momento raggiungibile. La preghiamo di richiamare più tardi.",
        "Risponde la segreteria telefonica della famiglia Verdi. Non siamo in casa.", "Lascia un messaggio.",
        "La casella vocale è piena. Arrivederci.",
    ),
    (Fold.DEV, "fr"): (
        "Bonjour, vous êtes bien chez Claire. Je ne suis pas là, laissez-moi un message après le bip.",
        "Votre correspondant n'est pas disponible. Veuillez laisser un message après le signal sonore.",
        "La boîte vocale de votre correspondant est pleine.", "Laissez un message.",
        "Le cabinet est fermé. En cas d'urgence, composez le quinze. Sinon, rappelez demain matin.",
    ),
    (Fold.FINAL, "fi"): (
        "Hei, olet soittanut Matille. En voi nyt vastata. Jätä viesti äänimerkin jälkeen.",
        "Tavoittelemanne henkilö ei ole nyt tavoitettavissa. Voitte jättää viestin.", "Jätä viesti.",
        "Toimistomme on suljettu. Palvelemme arkisin kello yhdeksästä viiteen. Soittakaa myöhemmin uudelleen.",
        "Vastaaja on täynnä. Kuulemiin.",
    ),
}  # fmt: skip
