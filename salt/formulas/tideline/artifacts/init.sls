# Programs, by sha256. A version has a place of its own; a link leads to the one in use, so that a change is one rename and can be undone.
{% from 'tideline/map.jinja' import tideline with context -%}
{%- for name, artifact in tideline['artifacts'] | dictsort(true) %}
{%- if artifact['package'] == 'deb' %}

{{ ('artifact ' ~ name ~ ' file') | json }}:
  file.managed:
    - name: {{ ('/var/cache/tideline/' ~ name ~ '-' ~ artifact['version'] ~ '.deb') | json }}
    - source: {{ artifact['source'] | json }}
    - source_hash: {{ ('sha256=' ~ artifact['sha256']) | json }}
    - mode: '0644'
    - makedirs: true

{{ ('artifact ' ~ name) | json }}:
  pkg.installed:
    - sources:
      - {{ {name: '/var/cache/tideline/' ~ name ~ '-' ~ artifact['version'] ~ '.deb'} | json }}
    - require:
      - file: {{ ('artifact ' ~ name ~ ' file') | json }}
{%- else %}
{%- if artifact['package'] == 'tar' %}
{%- set sums = ('/opt/tideline-fleet/sums/' ~ name ~ '-' ~ artifact['sha256']) | quote %}
{%- set place = artifact['path'] | quote %}

# What was unpacked is known by the sums of its files: archive.extracted alone cannot say with test=True whether it would do anything, and
# looks at names only. They are written last, so that an archive of which a power cut left a part is unpacked again.
{{ ('artifact ' ~ name) | json }}:
  archive.extracted:
    - name: {{ artifact['path'] | json }}
    - source: {{ artifact['source'] | json }}
    - source_hash: {{ ('sha256=' ~ artifact['sha256']) | json }}
    - archive_format: tar
    - enforce_toplevel: false
    - overwrite: true
    - user: root
    - group: root
    - unless: {{ ('test -e ' ~ sums ~ ' && cd ' ~ place ~ ' && { test ! -s ' ~ sums ~ ' || sha256sum --status --check ' ~ sums ~ '; }') | json }}

{{ ('artifact ' ~ name ~ ' sums') | json }}:
  cmd.run:
    - name: {{ ('mkdir -p /opt/tideline-fleet/sums && cd ' ~ place ~ ' && find . -type f -exec sha256sum {} + >' ~ sums ~ '.new && mv ' ~ sums ~ '.new ' ~ sums) | json }}
    - onchanges:
      - archive: {{ ('artifact ' ~ name) | json }}
{%- else %}

{{ ('artifact ' ~ name) | json }}:
  file.managed:
    - name: {{ artifact['path'] | json }}
    - source: {{ artifact['source'] | json }}
    - source_hash: {{ ('sha256=' ~ artifact['sha256']) | json }}
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: true
{%- endif %}

{{ ('artifact ' ~ name ~ ' link') | json }}:
  file.symlink:
    - name: {{ artifact['link'] | json }}
    - target: {{ artifact['path'] | json }}
    - force: true
    - makedirs: true
    - require:
      - {{ {'archive' if artifact['package'] == 'tar' else 'file': 'artifact ' ~ name} | json }}
{%- endif %}
{%- endfor %}
