# Keys are made here and stay here; certificates and authorities come signed in the document, secrets in a pillar of their own.
{% from 'tideline/map.jinja' import tideline, secrets with context -%}
{% from 'tideline/component.jinja' import component with context -%}
{%- set algorithms = {
  'ec-p256': '-algorithm EC -pkeyopt ec_paramgen_curve:P-256',
  'rsa-2048': '-algorithm RSA -pkeyopt rsa_keygen_bits:2048',
} -%}
{%- set pki = tideline['pki'] -%}
{{ component('pki') }}

{%- for path, key in pki['keys'] | dictsort(true) %}

# Made beside its place and moved there, so that a power cut leaves a whole key or none.
{{ ('pki keys ' ~ path) | json }}:
  cmd.run:
    - name: {{ ('umask 077 && openssl genpkey ' ~ algorithms[key['algorithm']] ~ ' -out ' ~ (path ~ '.new') | quote ~ ' && mv ' ~ (path ~ '.new') | quote ~ ' ' ~ path | quote) | json }}
    - creates: {{ path | json }}
    - output_loglevel: quiet

{{ ('pki access to key ' ~ path) | json }}:
  file.managed:
    - name: {{ path | json }}
    - replace: false
    - create: false
    - user: {{ key['user'] | json }}
    - group: {{ key['group'] | json }}
    - mode: {{ key['mode'] | json }}
    - show_changes: false
    - require:
      - cmd: {{ ('pki keys ' ~ path) | json }}
{%- endfor %}

{%- for kind in ('certificates', 'authorities') %}
{%- for path, file in pki[kind] | dictsort(true) if 'pem' in file %}

{{ ('pki ' ~ kind ~ ' ' ~ path) | json }}:
  file.managed:
    - name: {{ path | json }}
    - source: salt://tideline/pem.jinja
    - template: jinja
    - context: {{ {'kind': kind, 'path': path} | json }}
    - user: {{ file['user'] | json }}
    - group: {{ file['group'] | json }}
    - mode: {{ file['mode'] | json }}
{%- endfor %}
{%- endfor %}

{%- for path, file in pki['secrets'] | dictsort(true) %}

{{ ('pki secrets ' ~ path) | json }}:
{%- if file['secret'] in secrets %}
  file.managed:
    - name: {{ path | json }}
    - source: salt://tideline/secret.jinja
    - template: jinja
    - context: {{ {'secret': file['secret']} | json }}
    - user: {{ file['user'] | json }}
    - group: {{ file['group'] | json }}
    - mode: {{ file['mode'] | json }}
    - show_changes: false
{%- else %}
  test.fail_without_changes:
    - name: {{ ('the secret ' ~ file['secret'] ~ ' is not in the pillar of this server') | json }}
{%- endif %}
{%- endfor %}
