#!/usr/bin/python3
"""Write recipe/definitions.tsv: short first-sense glosses of common nouns from WordNet 3.0.

Needs Debian's wordnet-base and wordnet-sense-index. The output is committed, so this runs only to change the choice.
"""
import os
import re

DICT = "/usr/share/wordnet"
KINDS = {"05": "animal", "06": "thing", "08": "body", "13": "food", "17": "nature", "20": "plant", "18": "person", "15": "place", "28": "time", "19": "nature"}
WANTED = set("""actor afternoon aircraft ambassador apprentice artist athlete automobile autumn axe bag ball banker basket beach bed
bedroom blanket boat boot boss boy brick brother bumblebee calf cap captain car carpenter ceiling chair champion chapel city client
clock clothes coach coast companion composer computer conductor cook corner crop cup cyclist dancer daughter dawn detective dinner
doctor driver editor employee engine farmer fence fisherman flower fog friend fruit furniture garden gate giant glove grandmother
guest harbor hat hen hill holiday home honey hospital hunter hut insect kitchen kitten knife laboratory lady lamp lawn lawyer lobby
lock luggage manager mayor meadow meal merchant messenger microscope mirror mist moment month monument morning mountain nephew nose
novelist ocean orchard pen pencil philosopher pillow pilot plant plate pocket poet pottery president pupil radish restaurant ribbon
rock scientist sculpture seed sheep shelf shirt shore sister sketch sky slope smoke snake snow soldier son speaker stone stream
student studio submarine suburb suitcase summer surgeon teacher teenager throat toe tomorrow tool tooth uncle vacation vehicle
vessel village visitor watch week willow winter witness world yesterday""".split())


def main():
    count = {}
    for line in open(f"{DICT}/index.sense"):
        key, offset, number, tags = line.split()
        lemma, rest = key.split("%")
        if rest[0] == "1" and number == "1" and rest[2:4] in KINDS and lemma.isalpha() and 3 <= len(lemma) <= 11:
            count[lemma] = (int(tags), offset)
    gloss, proper = {}, set()
    for line in open(f"{DICT}/data.noun"):
        if not line.startswith("  "):
            gloss[line[:8]] = line.split("| ")[1].strip()
            proper |= {line[:8] + w.lower() for w in re.findall(r"[A-Z]\w+", line.split("|")[0])}
    out = []
    for lemma, (tags, offset) in sorted(count.items(), key=lambda kv: -kv[1][0]):
        text = re.sub(r"^\([^)]*\) ", "", gloss[offset].split(";")[0].strip())
        if offset + lemma in proper or "(" in text or '"' in text or not 18 <= len(text) <= 62 or lemma not in WANTED or re.search(r"[^a-zA-Z ,'-]", text) or lemma in text.split():
            continue
        out.append((lemma, text))
    here = os.path.dirname(os.path.abspath(__file__))
    with open(f"{here}/recipe/definitions.tsv", "w") as f:
        f.write("# word<TAB>definition. From WordNet 3.0 (Debian: wordnet-base), copyright 2006 Princeton University; licence in README.md\n")
        for lemma, text in sorted(out):
            f.write(f"{lemma}\t{text}\n")


if __name__ == "__main__":
    main()
